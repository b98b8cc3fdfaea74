using System.Diagnostics;
using System.Diagnostics.Metrics;
using AgentPlatform.Inference.Batching;

namespace AgentPlatform.Worker.Telemetry;

/// <summary>The worker's name among telemetry's sources, and its spans.</summary>
internal static class WorkerTelemetry
{
    /// <summary>Name of the meter and of the activity source.</summary>
    public const string Name = "AgentPlatform.Worker";

    /// <summary>Spans of the engine.</summary>
    public static ActivitySource Source { get; } = new(Name);

    /// <summary>Metrics of batches on the worker's meter.</summary>
    public static BatchingMetrics CreateBatchingMetrics(IServiceProvider services) =>
        new(services.GetRequiredService<IMeterFactory>().Create(Name));
}
