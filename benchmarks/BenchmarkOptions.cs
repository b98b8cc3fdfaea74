using System.Globalization;

namespace AgentPlatform.Benchmarks;

/// <summary>The command line.</summary>
/// <param name="Measure">How long each figure is measured, after a warm-up of a third of it.</param>
/// <param name="Only">Name of the one part to run; null for all.</param>
internal sealed record BenchmarkOptions(TimeSpan Measure, string? Only)
{
    private const string Usage = """
        Usage: AgentPlatform.Benchmarks [--seconds N] [--only PART]

          --seconds N   how long each figure is measured, 1 to 600 (8)
          --only PART   bare | platform | peers | stream, whose ratios need the bare part, which runs with each of them;
                        classifier | chat, which measure engines in this process

        Or: AgentPlatform.Benchmarks chaos --help
        """;

    public static readonly IReadOnlyList<string> Parts = ["bare", "platform", "peers", "stream", "classifier", "chat"];

    /// <summary>Reads the command line; null, after the usage was printed, when there is nothing to run.</summary>
    public static BenchmarkOptions? Parse(string[] args)
    {
        var options = new BenchmarkOptions(TimeSpan.FromSeconds(8), null);
        for (var i = 0; i < args.Length; i += 2)
        {
            var value = i + 1 < args.Length ? args[i + 1] : "";
            switch (args[i])
            {
                case "--seconds" when int.TryParse(value, CultureInfo.InvariantCulture, out var seconds) && seconds is > 0 and <= 600:
                    options = options with { Measure = TimeSpan.FromSeconds(seconds) };
                    break;
                case "--only" when Parts.Contains(value):
                    options = options with { Only = value };
                    break;
                default:
                    Console.Error.WriteLine(Usage);
                    return null;
            }
        }

        return options;
    }

    public bool Runs(string part) => Only is null || Only == part;
}
