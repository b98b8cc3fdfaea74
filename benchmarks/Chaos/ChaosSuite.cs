using AgentPlatform.Benchmarks.Chaos.Clients;
using AgentPlatform.Benchmarks.Chaos.Plans;
using AgentPlatform.Benchmarks.Chaos.Subjects;
using AgentPlatform.Testing.Chaos;
using RabbitMQ.Client.Exceptions;

namespace AgentPlatform.Benchmarks.Chaos;

/// <summary>
/// Runs plans one after another, each on a platform of its own, and holds the platform to what is promised in all of them.
/// </summary>
internal sealed class ChaosSuite(ChaosOptions options)
{
    private static readonly TimeSpan _warmUp = TimeSpan.FromSeconds(4);

    // Starting, ending, and what a plan waits for at most.
    private static readonly TimeSpan _margin = TimeSpan.FromMinutes(6);

    /// <summary>Runs them.</summary>
    /// <returns>The exit code: 1 if a promise was broken.</returns>
    public async Task<int> RunAsync(CancellationToken cancellationToken)
    {
        var broken = 0;
        var summary = new List<string>();
        await using var undisturbed = await Undisturbed.StartAsync(cancellationToken);
        foreach (var plan in options.Plans)
        {
            using var limit = new CancellationTokenSource((options.Duration ?? plan.Length) + _margin, TimeProvider.System);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
            ChaosReport.Begin(plan, options);
            try
            {
                using var run = await RunAsync(plan, undisturbed, either.Token);
                broken += run.Broken.Count;
                summary.Add(ChaosReport.SummaryOf(plan, run));
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                Console.WriteLine("Stopped.");
                return 1;
            }
            catch (Exception e) when (e is InvalidOperationException or RabbitMQClientException or IOException or TimeoutException
                or OperationCanceledException)
            {
                broken++;
                summary.Add($"| {plan.Name} | | | | | did not come to its end |");
                ChaosReport.Outcome([$"The plan did not come to its end: {e.Message}"]);
            }
        }

        ChaosReport.Summary(summary);
        return broken == 0 ? 0 : 1;
    }

    private async Task<ChaosRun> RunAsync(ChaosPlan plan, Undisturbed undisturbed, CancellationToken cancellationToken)
    {
        using var stalls = new StallWatch();
        var shape = plan.Shape(options);
        var requests = plan.Requests(new Random(options.Seed));
        var answers = await undisturbed.AskAsync([.. requests, .. plan.OwnRequests]);
        await using var subject = await Subject.StartAsync(
            shape, options.LogFolder is { } folder ? Path.Combine(folder, plan.Name) : null, cancellationToken);
        var run = new ChaosRun(options, shape, subject, requests, answers);

        // What is compiled and what grows once is not measured.
        await run.UnderLoadAsync(
            () => Task.Delay(_warmUp, TimeProvider.System, cancellationToken), crowd: run.Crowd(new Tally(shape.Step)));
        var before = await subject.SettleAsync(cancellationToken);
        await plan.RunAsync(run, cancellationToken);
        var after = await subject.SettleAsync(cancellationToken);
        var deaths = subject.Deaths;
        var exitCodes = await subject.StopAsync(cancellationToken);
        var waiting = await subject.CountWaitingAsync(cancellationToken);
        var dead = await subject.ReadDeadAsync(cancellationToken);

        Promise(run, after, deaths, exitCodes, waiting, dead);
        ChaosReport.End(run, before, after, waiting, dead.Count, stalls.Longest);
        return run;
    }

    // Promises of every plan.
    private static void Promise(
        ChaosRun run, Holdings after, int deaths, IReadOnlyList<int> exitCodes, uint waiting, IReadOnlyList<DeadRequest> dead)
    {
        foreach (var verdict in (Verdict[])[Verdict.Duplicated, Verdict.Truncated, Verdict.Wrong, Verdict.Hung])
        {
            var count = run.Tally.Sum(verdict);
            run.Promise(count == 0, $"{count} of {run.Tally.Requests} answers were {$"{verdict}".ToLowerInvariant()}.");
        }

        var innocents = dead.Where(request => !request.Body.Contains(ChaosRequest.PoisonText, StringComparison.Ordinal)).ToList();
        run.Promise(run.Tally.Sum(Verdict.Completed) > 0, $"No request was completed.");
        run.Promise(
            run.Tally.RefusalsWithoutRetryAfter == 0, $"{run.Tally.RefusalsWithoutRetryAfter} refusals do not say when to come again.");
        run.Promise(after.ActiveSlots == 0, $"{after.ActiveSlots} slots are taken though nothing is asked.");
        run.Promise(deaths <= run.DeathsAllowed, $"Workers and gateways died {deaths} times instead of at most {run.DeathsAllowed}.");
        run.Promise(
            exitCodes.All(exitCode => exitCode == 0),
            $"The exit codes of workers and gateway are {string.Join(", ", exitCodes)} instead of 0.");
        run.Promise(waiting == 0, $"{waiting} jobs are left in the queue.");
        run.Promise(dead.Count <= run.DeadAllowed, $"{dead.Count} jobs were given up instead of at most {run.DeadAllowed}.");
        var attempts = string.Join("; ", innocents.Select(request => request.Attempts));
        run.Promise(innocents.Count == 0, $"{innocents.Count} jobs were given up that kill no worker, after these attempts: {attempts}");
    }
}
