using AgentPlatform.Benchmarks.Chaos.Clients;
using AgentPlatform.Benchmarks.Chaos.Subjects;
using AgentPlatform.Testing.Chaos;

namespace AgentPlatform.Benchmarks.Chaos.Plans;

/// <summary>Ten times as many requests come as the platform can answer.</summary>
internal sealed class OverloadPlan : ChaosPlan
{
    private const int Factor = 10;
    private const int SlotsPerWorker = 8;
    private static readonly TimeSpan _peak = TimeSpan.FromSeconds(12);
    private static readonly TimeSpan _beginning = TimeSpan.FromSeconds(2);

    public override string Name => "overload";

    public override string Says => $"{Factor} times the requests of the peak that was measured before";

    public override TimeSpan Length => TimeSpan.FromSeconds(30);

    public override SubjectShape Shape(ChaosOptions options) =>
        new(options.Workers, SlotsPerWorker, TimeSpan.FromMilliseconds(20)) { MaxQueueLength = 2 * SlotsPerWorker * options.Workers };

    // Alike in length, so that the peak is a rate.
    public override IReadOnlyList<ChaosRequest> Requests(Random random) => ChaosRequest.Create(random, count: 200, fewest: 16, most: 20);

    public override async Task RunAsync(ChaosRun run, CancellationToken cancellationToken)
    {
        var peak = await MeasurePeakAsync(run, cancellationToken);
        var before = await run.Subject.SettleAsync(cancellationToken);
        var crowd = run.Crowd();
        var requests = Requests(new Random(run.Options.Seed));
        var asked = new List<Task<Answer>>();
        var began = TimeProvider.System.GetTimestamp();
        using var tick = new PeriodicTimer(TimeSpan.FromMilliseconds(10), TimeProvider.System);
        while (TimeProvider.System.GetElapsedTime(began) is var elapsed && elapsed < LengthOf(run))
        {
            for (var due = peak * Factor * elapsed.TotalSeconds; asked.Count < due;)
            {
                asked.Add(crowd.AskAsync(requests[run.Random.Next(requests.Count)]));
            }

            await tick.WaitForNextTickAsync(cancellationToken);
        }

        var ended = TimeProvider.System.GetTimestamp();
        var measured = TimeProvider.System.GetElapsedTime(began, ended) - _beginning;
        var goodput = run.Tally.CompletedBetween(
            ended - (long)(measured.TotalSeconds * TimeProvider.System.TimestampFrequency), ended) / measured.TotalSeconds;
        await Task.WhenAll(asked).WaitAsync(cancellationToken);
        var after = await run.Subject.SettleAsync(cancellationToken);

        run.Note("peak", $"{peak:0.0} answers/s");
        run.Note("offered", $"{asked.Count / LengthOf(run).TotalSeconds:0} requests/s");
        run.Note("goodput under it", $"{goodput:0.0} answers/s, {goodput / peak:0.00} of the peak");
        run.Promise(goodput >= 0.95 * peak, $"The goodput under overload is {goodput / peak:0.00} of the peak instead of at least 0.95.");
        PromiseMemory(run, "gateway", before.Gateway, after.Gateway);
        PromiseMemory(run, "workers", before.Workers, after.Workers);
        var failed = run.Tally.Sum(Verdict.Failed);
        run.Promise(failed == 0, $"{failed} requests ended with an error after they had been accepted.");
    }

    // As many callers as slots and half of the queue: every slot always has work, and no caller is refused.
    private static async Task<double> MeasurePeakAsync(ChaosRun run, CancellationToken cancellationToken)
    {
        var tally = new Tally(run.Shape.Step);
        using var enough = new CancellationTokenSource();
        var asking = run.Crowd(tally).RunAsync(2 * SlotsPerWorker * run.Options.Workers, leavers: 0, enough.Token);
        await PauseAsync(_beginning, cancellationToken);
        var began = TimeProvider.System.GetTimestamp();
        await PauseAsync(_peak, cancellationToken);
        var ended = TimeProvider.System.GetTimestamp();
        await enough.CancelAsync();
        await asking.WaitAsync(cancellationToken);
        return tally.CompletedBetween(began, ended) / TimeProvider.System.GetElapsedTime(began, ended).TotalSeconds;
    }

    private static void PromiseMemory(ChaosRun run, string whose, long before, long after) => run.Promise(
        after <= (1.25 * before) + 8e6,
        $"The heap of the {whose} holds {after / 1e6:0.0} MB after the overload instead of {before / 1e6:0.0} MB before.");
}
