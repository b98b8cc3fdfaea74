using AgentPlatform.Worker.Engines;
using AgentPlatform.Worker.Engines.Preparation;
using Microsoft.Extensions.Options;

namespace AgentPlatform.Tests.Worker.Engines;

/// <summary>Pools for engines that a test makes itself; their threads end with the process.</summary>
internal static class Preparations
{
    public static PreparationPool Create() => new(Options.Create(new EngineOptions { PreparationThreads = 1 }));
}
