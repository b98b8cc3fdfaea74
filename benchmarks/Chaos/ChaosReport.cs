using System.Globalization;
using AgentPlatform.Benchmarks.Chaos.Clients;
using AgentPlatform.Benchmarks.Chaos.Plans;
using AgentPlatform.Benchmarks.Chaos.Subjects;
using AgentPlatform.Testing.Chaos;

namespace AgentPlatform.Benchmarks.Chaos;

/// <summary>Prints what happened, as Markdown.</summary>
internal static class ChaosReport
{
    private static readonly Verdict[] _bad = [Verdict.Duplicated, Verdict.Truncated, Verdict.Wrong, Verdict.Hung];

    public static void Begin(ChaosPlan plan, ChaosOptions options) =>
        Write($"\n### {plan.Name}: {plan.Says}\nSeed {options.Seed}, {options.Streams} clients, {options.Workers} workers");

    public static void Progress(TimeSpan elapsed, Tally tally)
    {
        var (completed, errors, bad) = (
            tally.Sum(Verdict.Completed), tally.Sum(Verdict.Refused, Verdict.Failed), tally.Sum(_bad));
        Write($"  {elapsed.TotalSeconds,4:0} s: {tally.Requests:N0} requests, {completed:N0} completed, {errors:N0} errors, {bad:N0} bad");
    }

    public static void End(ChaosRun run, Holdings before, Holdings after, uint waiting, int dead, TimeSpan longestStall)
    {
        var tally = run.Tally;
        var (interrupted, p50, p99) = tally.Gaps();
        Write($"\n| What | Figure |\n|---|---|");
        Write($"| requests | {tally.Requests:N0} |");
        Write($"| completed, byte for byte | {tally.Sum(Verdict.Completed):N0} |");
        Write($"| left by their clients | {tally.Sum(Verdict.Left):N0} |");
        Write($"| refused / failed with an explicit error | {tally.Sum(Verdict.Refused):N0} / {tally.Sum(Verdict.Failed):N0} |");
        foreach (var (kind, count) in tally.Errors)
        {
            Write($"| of these {kind} | {count:N0} |");
        }

        Write($"| duplicated / truncated / wrong / hung | {string.Join(" / ", _bad.Select(verdict => tally.Sum(verdict)))} |");
        Write($"| interrupted streams, gap p50 / p99 | {interrupted:N0}, {p50:0} / {p99:0} ms |");
        Write($"| first event p99 | {tally.FirstEventP99():0} ms |");
        foreach (var (what, figure) in run.Notes)
        {
            Write($"| {what} | {figure} |");
        }

        Write($"| slots leaked | {after.ActiveSlots} |");
        Write($"| heap of the gateway, before / after | {before.Gateway / 1e6:0.0} / {after.Gateway / 1e6:0.0} MB |");
        Write($"| heaps of the workers, before / after | {before.Workers / 1e6:0.0} / {after.Workers / 1e6:0.0} MB |");
        Write($"| jobs left waiting / in {Messaging.Broker.QueueNames.Dead} | {waiting} / {dead} |");
        Write($"| longest stall of the suite itself | {longestStall.TotalMilliseconds:0} ms |");
        foreach (var example in tally.Examples)
        {
            Write($"\n{example}");
        }

        Outcome(run.Broken);
    }

    /// <summary>A plan's line in the table of all plans.</summary>
    public static string SummaryOf(ChaosPlan plan, ChaosRun run)
    {
        var (interrupted, _, p99) = run.Tally.Gaps();
        return string.Create(CultureInfo.InvariantCulture,
            $"| {plan.Name} | {run.Tally.Requests:N0} | {run.Tally.Sum(Verdict.Completed):N0} | {run.Tally.Sum(_bad):N0} "
            + $"| {interrupted:N0}, {p99:0} ms | {(run.Broken.Count == 0 ? "held" : "broken")} |");
    }

    /// <summary>The table of all plans.</summary>
    public static void Summary(IEnumerable<string> lines)
    {
        Write($"\n| Plan | Requests | Completed | Duplicated, truncated, wrong or hung | Interrupted, gap p99 | Promises |");
        Write($"|---|---|---|---|---|---|\n{string.Join('\n', lines)}");
    }

    /// <summary>Whether the promises of a plan held, and which did not.</summary>
    public static void Outcome(IReadOnlyCollection<string> broken)
    {
        Write($"\n{(broken.Count == 0 ? "Every promise held." : "Broken:")}");
        foreach (var promise in broken)
        {
            Write($"- {promise}");
        }
    }

    public static void Write(FormattableString line) => Console.WriteLine(line.ToString(CultureInfo.InvariantCulture));
}
