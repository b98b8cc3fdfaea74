using AgentPlatform.Benchmarks.Chaos.Clients;
using AgentPlatform.Benchmarks.Chaos.Subjects;
using AgentPlatform.Testing.Chaos;

namespace AgentPlatform.Benchmarks.Chaos.Plans;

/// <summary>
/// A machine fails with all that runs on it, a gateway and a worker, and comes back. Its gateway's
/// requests are lost with it, wherever they ran; the workers that are left have just room enough
/// for the other gateway's, so that each slot that is held for the dead one delays a client.
/// </summary>
internal sealed class NodePlan : ChaosPlan
{
    private static readonly TimeSpan _interval = TimeSpan.FromSeconds(12);
    private static readonly TimeSpan _away = TimeSpan.FromSeconds(4);
    private static readonly TimeSpan _pause = TimeSpan.FromSeconds(0.5);

    public override string Name => "node";

    public override string Says => "kill -9 of one of two gateways and a worker together, started again 4 s later";

    public override TimeSpan Length => TimeSpan.FromSeconds(60);

    public override SubjectShape Shape(ChaosOptions options)
    {
        var all = options.Streams + ClientsOfTheDoomed(options);
        return new(options.Workers, (all / (options.Workers - 1)) + 8, TimeSpan.FromMilliseconds(50)) { Gateways = 2 };
    }

    public override async Task RunAsync(ChaosRun run, CancellationToken cancellationToken)
    {
        var tally = new Tally(run.Shape.Step);
        var gateway = run.Subject.Gateways[1];
        using var client = new ChaosClient(gateway.Port);
        using var enough = new CancellationTokenSource();
        var crowd = run.Crowd(tally, client);
        var asking = Task.WhenAll(Enumerable.Range(0, ClientsOfTheDoomed(run.Options)).Select(index =>
            AskAsync(run, crowd, new Random(run.Options.Seed + index), enough.Token)));
        var losses = 0;
        await run.UnderLoadAsync(async () =>
        {
            for (var left = LengthOf(run); left >= _interval; left -= _interval)
            {
                await PauseAsync(_interval - _away, cancellationToken);
                var worker = run.Subject.Workers[run.Random.Next(run.Subject.Workers.Count)];
                await Task.WhenAll(gateway.CrashAsync(_away, cancellationToken), worker.CrashAsync(_away, cancellationToken));
                losses++;
            }
        });
        await enough.CancelAsync();
        await asking;

        var broken = tally.Sum(Verdict.Truncated);
        run.Note("nodes lost", $"{losses}");
        run.Note(
            "of the lost gateway: requests completed / connections broken, asked again and completed",
            $"{tally.Sum(Verdict.Completed):N0} / {broken:N0}");
        run.Promise(
            tally.Sum(Verdict.Completed) > 0 && broken > 0,
            $"Of the lost gateway's requests {tally.Sum(Verdict.Completed)} were completed and {broken} broken.");
        foreach (var verdict in (Verdict[])[Verdict.Duplicated, Verdict.Wrong, Verdict.Hung])
        {
            run.Promise(
                tally.Sum(verdict) == 0, $"{tally.Sum(verdict)} answers of the lost gateway were {$"{verdict}".ToLowerInvariant()}.");
        }

        run.PromiseCompletion();
        run.PromiseGaps();
    }

    private static int ClientsOfTheDoomed(ChaosOptions options) => options.Streams / 3;

    /// <summary>A client of the gateway that is lost again and again: asks once more whatever was not answered to its end.</summary>
    private static async Task AskAsync(ChaosRun run, Crowd crowd, Random random, CancellationToken enough)
    {
        while (!enough.IsCancellationRequested)
        {
            var request = run.Requests[random.Next(run.Requests.Count)];
            while (await crowd.AskAsync(request) is not { Status: 200, IsWhole: true })
            {
                await PauseAsync(_pause, CancellationToken.None);
            }
        }
    }
}
