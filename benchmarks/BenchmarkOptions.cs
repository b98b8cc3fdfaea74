namespace AgentPlatform.Benchmarks;

/// <summary>What is measured.</summary>
/// <param name="Measure">How long each figure of a load is measured, after a warm-up of a third of it.</param>
/// <param name="Only">Name of the one part to run; null for all.</param>
internal sealed record BenchmarkOptions(TimeSpan Measure, string? Only)
{
    /// <summary>The parts that ask a whole platform or a broker.</summary>
    public static IReadOnlyList<string> Loads { get; } = ["bare", "platform", "peers", "stream"];

    /// <summary>The parts that measure an engine in this process.</summary>
    public static IReadOnlyList<string> Engines { get; } = ["classifier", "chat"];

    public bool Runs(string part) => Only is null || Only == part;
}
