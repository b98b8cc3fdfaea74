using System.Diagnostics.Metrics;
using AgentPlatform.Inference.Batching;
using AgentPlatform.Worker.Engines;
using AgentPlatform.Worker.Engines.Running;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace AgentPlatform.Tests.Worker;

/// <summary>Meters that nobody listens to.</summary>
internal static class Meters
{
    public static IMeterFactory Create() => new ServiceCollection().AddMetrics().BuildServiceProvider().GetRequiredService<IMeterFactory>();

    public static BatchingMetrics OfBatching() => new(Create().Create("batching"));

    public static EngineMetrics OfEngine() => new(Create(), Options.Create(new ModelOptions()));
}
