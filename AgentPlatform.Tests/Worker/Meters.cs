using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;

namespace AgentPlatform.Tests.Worker;

/// <summary>Meters that nobody listens to.</summary>
internal static class Meters
{
    public static IMeterFactory Create() => new ServiceCollection().AddMetrics().BuildServiceProvider().GetRequiredService<IMeterFactory>();
}
