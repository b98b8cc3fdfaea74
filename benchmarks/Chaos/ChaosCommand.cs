using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using AgentPlatform.Benchmarks.Chaos.Plans;

namespace AgentPlatform.Benchmarks.Chaos;

/// <summary>The command <c>chaos</c>.</summary>
internal static class ChaosCommand
{
    private static readonly IReadOnlyList<ChaosPlan> _plans =
    [
        new KillsPlan(), new RollingPlan(), new BrokerPlan(), new FreezePlan(), new LeavePlan(), new PoisonPlan(), new OverloadPlan(),
        new BulkPlan(), new SlowPlan(), new CutsPlan(), new NodePlan(), new ClockPlan(), new MixedPlan(),
    ];

    public static Command Create()
    {
        var plans = new Option<IReadOnlyList<ChaosPlan>>("--plan")
        {
            Description = $"""
                What is done to the platform; several with commas between, 'all' for one after another [default: mixed]:
                {string.Join('\n', _plans.Select(plan => $"{plan.Name}: {plan.Says}"))}
                """,
            HelpName = "NAME[,NAME...]|all",
            Arity = ArgumentArity.ExactlyOne,
            CustomParser = ReadPlans,
        };
        var seed = new Option<int>("--seed")
        {
            Description = "Decides requests, victims and moments.", HelpName = "N", DefaultValueFactory = static _ => 1,
        };
        var duration = new Option<TimeSpan?>("--duration")
        {
            Description = "How long faults are injected, such as 90s, 2m or 1h; each plan has a time of its own.",
            HelpName = "TIME",
            CustomParser = ReadDuration,
        };
        var streams = Number("--streams", "Requests under way at once", 1, 1000, 200);
        var workers = Number("--workers", "Workers in the pool", 2, 16, 3);
        var logs = new Option<string>("--logs") { Description = "Folder for what gateway and workers write.", HelpName = "FOLDER" };
        var command = new Command("chaos", "Breaks the platform in every way and holds it to what it promises.")
        {
            plans, seed, duration, streams, workers, logs,
        };
        command.SetAction((result, stop) => new ChaosSuite(new ChaosOptions(
            result.GetValue(seed), result.GetValue(plans) ?? [_plans[^1]], result.GetValue(duration), result.GetValue(streams),
            result.GetValue(workers), result.GetValue(logs))).RunAsync(stop));
        return command;
    }

    private static Option<int> Number(string name, string description, int least, int most, int usual)
    {
        var option = new Option<int>(name)
        {
            Description = $"{description}, {least} to {most}.", HelpName = "N", DefaultValueFactory = _ => usual,
        };
        option.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int>() is var value && (value < least || value > most))
            {
                result.AddError($"{name} must be between {least} and {most}.");
            }
        });
        return option;
    }

    private static IReadOnlyList<ChaosPlan>? ReadPlans(ArgumentResult result)
    {
        var names = result.Tokens[0].Value;
        if (names == "all")
        {
            return _plans;
        }

        var plans = names.Split(',').Select(name => _plans.FirstOrDefault(plan => plan.Name == name)).ToList();
        if (!plans.Contains(null))
        {
            return plans!;
        }

        result.AddError($"--plan is '{names}'; it must be 'all' or some of {string.Join(", ", _plans.Select(plan => plan.Name))}.");
        return null;
    }

    private static TimeSpan? ReadDuration(ArgumentResult result)
    {
        var text = result.Tokens[0].Value;
        TimeSpan? unit = text.Length == 0 ? null : text[^1] switch
        {
            's' => TimeSpan.FromSeconds(1),
            'm' => TimeSpan.FromMinutes(1),
            'h' => TimeSpan.FromHours(1),
            _ => null,
        };
        if (unit is { } one && int.TryParse(text[..^1], CultureInfo.InvariantCulture, out var count) && count is >= 1 and <= 86_400)
        {
            return count * one;
        }

        result.AddError($"--duration is '{text}'; it must be a time such as 90s, 2m or 1h.");
        return null;
    }
}
