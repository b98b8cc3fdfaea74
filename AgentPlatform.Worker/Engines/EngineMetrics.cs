using System.Diagnostics.Metrics;
using AgentPlatform.Messaging.Contracts;

namespace AgentPlatform.Worker.Engines;

/// <summary>How the engine is used.</summary>
/// <remarks>Safe for concurrent use.</remarks>
internal sealed class EngineMetrics(IMeterFactory meters)
{
    private readonly UpDownCounter<int> _total = meters.Create(WorkerTelemetry.Name).CreateUpDownCounter<int>(
        "agentplatform.engine.slots", "{request}", "Requests that the engine can run at once");

    private readonly UpDownCounter<int> _active = meters.Create(WorkerTelemetry.Name).CreateUpDownCounter<int>(
        "agentplatform.engine.slots.active", "{request}", "Requests that the engine runs now");

    // The HTTP surface measures gen_ai.server.request.duration, waiting included. Buckets as that convention gives them.
    private readonly Histogram<double> _duration = meters.Create(WorkerTelemetry.Name).CreateHistogram<double>(
        "agentplatform.engine.duration", "s", "How long a request was with the engine, waiting for a slot included", tags: null,
        new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92] });

    public void SlotsExist(int total) => _total.Add(total);

    public void SlotTaken() => _active.Add(1);

    public void SlotFreed() => _active.Add(-1);

    public void Ended(Operation operation, string model, string? errorType, TimeSpan took)
    {
        var name = new KeyValuePair<string, object?>("gen_ai.operation.name", EngineRunner.NameOf(operation));
        var requested = new KeyValuePair<string, object?>("gen_ai.request.model", model);
        if (errorType is null)
        {
            _duration.Record(took.TotalSeconds, name, requested);
        }
        else
        {
            _duration.Record(took.TotalSeconds, name, requested, new KeyValuePair<string, object?>("error.type", errorType));
        }
    }
}
