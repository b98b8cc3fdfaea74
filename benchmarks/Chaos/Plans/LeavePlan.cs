using AgentPlatform.Benchmarks.Chaos.Clients;
using AgentPlatform.Benchmarks.Load;

namespace AgentPlatform.Benchmarks.Chaos.Plans;

/// <summary>Clients leave in the middle of their answers.</summary>
internal sealed class LeavePlan : ChaosPlan
{
    private const int Leavers = 40;
    private const int MostSteps = 2;
    private static readonly TimeSpan _slotLimit = TimeSpan.FromMilliseconds(100);
    private static readonly ChaosRequest _endless = ChaosRequest.Stream("Tell me everything.", tokens: 1200);

    public override string Name => "leave";

    public override string Says => "clients close their connections in the middle of a stream";

    public override TimeSpan Length => TimeSpan.FromSeconds(30);

    public override IEnumerable<ChaosRequest> OwnRequests => [_endless];

    public override async Task RunAsync(ChaosRun run, CancellationToken cancellationToken)
    {
        await Task.WhenAll(run.Subject.Workers.Select(worker => worker.TakeEndsAsync()));
        using var enough = new CancellationTokenSource(LengthOf(run), TimeProvider.System);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(enough.Token, cancellationToken);
        var seeds = Enumerable.Range(0, Leavers).Select(_ => run.Random.Next()).ToList();
        var left = (await Task.WhenAll(seeds.Select(seed => LeaveAgainAsync(run, new Random(seed), stop.Token)))).SelectMany(moments =>
            moments).ToList();

        // A slot that is not free by now is a leaked one.
        await PauseAsync(TimeSpan.FromSeconds(2), cancellationToken);
        var ends = (await Task.WhenAll(run.Subject.Workers.Select(worker => worker.TakeEndsAsync()))).SelectMany(found => found)
            .GroupBy(end => end.Key).ToDictionary(same => same.Key, same => same.Max(end => end.Value));
        var times = left.Where(leaver => ends.ContainsKey(leaver.Request))
            .Select(leaver => TimeProvider.System.GetElapsedTime(leaver.At, ends[leaver.Request]).TotalMilliseconds).Order().ToList();
        var (p50, p99) = (LoadResult.Percentile(times, 0.5), LoadResult.Percentile(times, 0.99));
        var steps = Math.Ceiling(p99 / run.Shape.Step.TotalMilliseconds);

        run.Note("clients that left", $"{left.Count}");
        var longest = times.DefaultIfEmpty(double.NaN).Last();
        run.Note(
            "slot free after, p50 / p99 / longest",
            $"{p50:0} / {p99:0} / {longest:0} ms, p99 {steps:0} steps of {run.Shape.Step.TotalMilliseconds:0} ms");
        run.Promise(
            left.Count > 0 && times.Count == left.Count,
            $"Of {left.Count} clients that left, {left.Count - times.Count} still have their slots.");
        run.Promise(
            p99 <= _slotLimit.TotalMilliseconds,
            $"The slot of a client that left is free after {p99:0} ms (p99) instead of at most {_slotLimit.TotalMilliseconds:0} ms.");
        run.Promise(steps <= MostSteps, $"A client that left costs {steps:0} steps (p99) instead of at most {MostSteps}.");

        // The platform carries on as before.
        await run.UnderLoadAsync(() => PauseAsync(TimeSpan.FromSeconds(4), cancellationToken));
        run.PromiseCompletion();
    }

    private static async Task<List<(Guid Request, long At)>> LeaveAgainAsync(ChaosRun run, Random random, CancellationToken stop)
    {
        var left = new List<(Guid Request, long At)>();
        var crowd = run.Crowd();
        while (!stop.IsCancellationRequested)
        {
            using var leave = new CancellationTokenSource();
            var begun = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            var asking = crowd.AskAsync(_endless, new ClientManner(Leave: leave.Token), _ => begun.TrySetResult());
            await Task.WhenAny(begun.Task, asking);
            await Task.Delay(TimeSpan.FromSeconds(0.3 + random.NextDouble()), TimeProvider.System, CancellationToken.None);
            var at = TimeProvider.System.GetTimestamp();
            await leave.CancelAsync();
            if (await asking is { IsLeft: true, RequestId: var request })
            {
                left.Add((request, at));
            }
        }

        return left;
    }
}
