using System.Globalization;
using AgentPlatform.Benchmarks.Chaos.Plans;

namespace AgentPlatform.Benchmarks.Chaos;

/// <summary>The command line of the chaos suite.</summary>
/// <param name="Seed">Decides everything that is not the machine's: requests, victims, moments.</param>
/// <param name="Plans">What is run, in this order.</param>
/// <param name="Duration">How long faults are injected; null for each plan's own time.</param>
/// <param name="Streams">Requests under way at once.</param>
/// <param name="Workers">Workers in the pool.</param>
/// <param name="LogFolder">Where the processes' output goes; null for nowhere.</param>
internal sealed record ChaosOptions(int Seed, IReadOnlyList<ChaosPlan> Plans, TimeSpan? Duration, int Streams, int Workers, string? LogFolder)
{
    private static readonly IReadOnlyList<ChaosPlan> _all =
    [
        new KillsPlan(), new RollingPlan(), new BrokerPlan(), new FreezePlan(), new LeavePlan(), new PoisonPlan(), new OverloadPlan(),
        new BulkPlan(), new SlowPlan(), new CutsPlan(), new NodePlan(), new ClockPlan(), new MixedPlan(),
    ];

    private static string Usage => $"""
        Usage: AgentPlatform.Benchmarks chaos [--plan NAME[,NAME...]|all] [--seed N] [--duration 2m] [--streams N] [--workers N] [--logs FOLDER]

          --plan       what is done to the platform (mixed):
        {string.Join('\n', _all.Select(plan => $"                 {plan.Name,-9} {plan.Says}"))}
                         all       one after another
          --seed       decides requests, victims and moments (1)
          --duration   how long faults are injected, such as 90s, 2m or 1h; each plan has a time of its own
          --streams    requests under way at once, 1 to 1000 (200)
          --workers    workers in the pool, 2 to 16 (3)
          --logs       folder for what gateway and workers write
        """;

    /// <summary>Reads the command line; null, after the usage was printed, when there is nothing to run.</summary>
    public static ChaosOptions? Parse(string[] args)
    {
        var options = new ChaosOptions(1, [.. _all.TakeLast(1)], null, 200, 3, null);
        for (var i = 0; i < args.Length; i += 2)
        {
            var value = i + 1 < args.Length ? args[i + 1] : "";
            var next = args[i] switch
            {
                "--plan" when value == "all" => options with { Plans = _all },
                "--plan" when Find(value) is { } plans => options with { Plans = plans },
                "--seed" when int.TryParse(value, CultureInfo.InvariantCulture, out var seed) => options with { Seed = seed },
                "--duration" when Length(value) is { } duration => options with { Duration = duration },
                "--streams" when Number(value, 1, 1000) is { } streams => options with { Streams = streams },
                "--workers" when Number(value, 2, 16) is { } workers => options with { Workers = workers },
                "--logs" when value.Length > 0 => options with { LogFolder = value },
                _ => null,
            };
            if (next is null)
            {
                Console.Error.WriteLine(Usage);
                return null;
            }

            options = next;
        }

        return options;
    }

    private static List<ChaosPlan>? Find(string names)
    {
        var plans = names.Split(',').SelectMany(name => _all.Where(plan => plan.Name == name)).ToList();
        return plans.Count == names.Split(',').Length ? plans : null;
    }

    private static int? Number(string text, int least, int most) =>
        int.TryParse(text, CultureInfo.InvariantCulture, out var number) && number >= least && number <= most ? number : null;

    private static TimeSpan? Length(string text)
    {
        TimeSpan? unit = text.Length == 0 ? null : text[^1] switch
        {
            's' => TimeSpan.FromSeconds(1),
            'm' => TimeSpan.FromMinutes(1),
            'h' => TimeSpan.FromHours(1),
            _ => null,
        };
        return unit is { } one && Number(text[..^1], 1, 86_400) is { } count ? count * one : null;
    }
}
