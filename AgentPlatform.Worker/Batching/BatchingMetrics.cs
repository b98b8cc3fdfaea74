using System.Diagnostics.Metrics;
using AgentPlatform.Worker.Telemetry;

namespace AgentPlatform.Worker.Batching;

/// <summary>What batches look like.</summary>
/// <remarks>Safe for concurrent use.</remarks>
internal sealed class BatchingMetrics(IMeterFactory meters)
{
    private readonly Histogram<int> _size = meters.Create(WorkerTelemetry.Name).CreateHistogram<int>(
        "agentplatform.batch.size", "{request}", "Requests computed at once", tags: null,
        new InstrumentAdvice<int> { HistogramBucketBoundaries = [1, 2, 4, 8, 16, 32, 64, 128, 256] });

    private readonly Histogram<double> _wait = meters.Create(WorkerTelemetry.Name).CreateHistogram<double>(
        "agentplatform.batch.wait", "s", "How long a request waited for its batch to begin", tags: null,
        new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10] });

    private readonly Counter<long> _shed = meters.Create(WorkerTelemetry.Name).CreateCounter<long>(
        "agentplatform.batch.shed", "{request}", "Requests whose deadline passed before their batch began");

    public void Began(int size) => _size.Record(size);

    public void Waited(TimeSpan wait) => _wait.Record(wait.TotalSeconds);

    public void Shed() => _shed.Add(1);
}
