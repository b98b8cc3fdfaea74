using System.Diagnostics.Metrics;

namespace AgentPlatform.Inference.Batching;

/// <summary>Size of batches and how long requests wait for them, on a meter of the component that computes them.</summary>
/// <remarks>Safe for concurrent use.</remarks>
public sealed class BatchingMetrics(Meter meter)
{
    private readonly Histogram<int> _size = meter.CreateHistogram<int>(
        "agentplatform.batch.size", "{request}", "Requests computed at once", tags: null,
        new InstrumentAdvice<int> { HistogramBucketBoundaries = [1, 2, 4, 8, 16, 32, 64, 128, 256] });

    private readonly Histogram<double> _wait = meter.CreateHistogram<double>(
        "agentplatform.batch.wait", "s", "How long a request waited for its batch to begin", tags: null,
        new InstrumentAdvice<double>
        {
            HistogramBucketBoundaries = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
        });

    private readonly Counter<long> _shed = meter.CreateCounter<long>(
        "agentplatform.batch.shed", "{request}", "Requests whose deadline passed before their batch began");

    /// <summary>The computation of a batch began.</summary>
    /// <param name="size">How many requests it has.</param>
    public void Began(int size) => _size.Record(size);

    /// <summary>A request's batch began.</summary>
    /// <param name="wait">How long the request waited for that.</param>
    public void Waited(TimeSpan wait) => _wait.Record(wait.TotalSeconds);

    /// <summary>A request was dropped: its deadline passed first.</summary>
    public void Shed() => _shed.Add(1);
}
