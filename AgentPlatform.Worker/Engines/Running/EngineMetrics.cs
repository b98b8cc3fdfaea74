using System.Diagnostics;
using System.Diagnostics.Metrics;
using AgentPlatform.Inference;
using AgentPlatform.Worker.Telemetry;
using Microsoft.Extensions.Options;

namespace AgentPlatform.Worker.Engines.Running;

/// <summary>How the engine is used.</summary>
/// <remarks>Safe for concurrent use.</remarks>
internal sealed class EngineMetrics(IMeterFactory meters, IOptions<ModelOptions> model)
{
    private readonly UpDownCounter<int> _total = meters.Create(WorkerTelemetry.Name).CreateUpDownCounter<int>(
        "agentplatform.engine.slots", "{request}", "Requests that the engine can run at once");

    private readonly UpDownCounter<int> _active = meters.Create(WorkerTelemetry.Name).CreateUpDownCounter<int>(
        "agentplatform.engine.slots.active", "{request}", "Requests that the engine runs now");

    // The HTTP surface measures gen_ai.server.request.duration, waiting included. Buckets as that convention gives them.
    private readonly Histogram<double> _duration = meters.Create(WorkerTelemetry.Name).CreateHistogram<double>(
        "agentplatform.engine.duration", "s", "How long a request was with the engine, waiting for a slot included", tags: null,
        new InstrumentAdvice<double>
        {
            HistogramBucketBoundaries = [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92],
        });

    /// <summary>The version of the model.</summary>
    public string ModelVersion { get; } = model.Value.Version;

    public void SlotsExist(int total) => _total.Add(total);

    public void SlotTaken() => _active.Add(1);

    public void SlotFreed() => _active.Add(-1);

    public void Ended(Operation operation, string modelName, string? errorType, TimeSpan took)
    {
        var tags = new TagList
        {
            { "gen_ai.operation.name", operation.Info().Name },
            { "gen_ai.provider.name", EngineRunner.Provider },
            { "gen_ai.request.model", modelName },
            { "agentplatform.model.version", ModelVersion },
        };
        if (errorType is not null)
        {
            tags.Add("error.type", errorType);
        }

        _duration.Record(took.TotalSeconds, tags);
    }
}
