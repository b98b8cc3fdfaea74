using AgentPlatform.Benchmarks.Chaos.Plans;

namespace AgentPlatform.Benchmarks.Chaos;

/// <summary>What the chaos suite does.</summary>
/// <param name="Seed">Decides everything that is not the machine's: requests, victims, moments.</param>
/// <param name="Plans">What is run, in this order.</param>
/// <param name="Duration">How long faults are injected; null for each plan's own time.</param>
/// <param name="Streams">Requests under way at once.</param>
/// <param name="Workers">Workers in the pool.</param>
/// <param name="LogFolder">Where the processes' output goes; null for nowhere.</param>
internal sealed record ChaosOptions(
    int Seed, IReadOnlyList<ChaosPlan> Plans, TimeSpan? Duration, int Streams, int Workers, string? LogFolder);
