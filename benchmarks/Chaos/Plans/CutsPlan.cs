using AgentPlatform.Benchmarks.Chaos.Clients;
using AgentPlatform.Benchmarks.Chaos.Subjects;

namespace AgentPlatform.Benchmarks.Chaos.Plans;

/// <summary>The network between the platform and its broker fails, and clients are slow.</summary>
internal sealed class CutsPlan : ChaosPlan
{
    private const int Slow = 3;
    private static readonly TimeSpan _slowLength = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan _interval = TimeSpan.FromSeconds(4);
    private static readonly TimeSpan _stall = TimeSpan.FromSeconds(4);
    private static readonly TimeSpan _recoveryLimit = TimeSpan.FromSeconds(15);

    public override string Name => "cuts";

    public override string Says => "clients that read 1 KB/s; then connections to the broker reset, and stalled for 4 s";

    public override TimeSpan Length => TimeSpan.FromMinutes(1);

    public override IEnumerable<ChaosRequest> OwnRequests => [SlowClients.Request];

    public override SubjectShape Shape(ChaosOptions options) => base.Shape(options) with { IsProxied = true };

    public override async Task RunAsync(ChaosRun run, CancellationToken cancellationToken)
    {
        await run.UnderLoadAsync(async () =>
        {
            var right = await Task.WhenAll(Enumerable.Range(0, Slow).Select(_ => SlowClients.ReadAsync(run, _slowLength)));
            run.Promise(right.All(isRight => isRight), $"{right.Count(isRight => !isRight)} slow clients read what is not their answer.");
        });
        run.PromiseCompletion();

        var recoveries = new List<TimeSpan>();
        var (resets, stalls) = (0, 0);
        await run.UnderLoadAsync(async () =>
        {
            for (var due = TimeSpan.Zero; due < LengthOf(run); due += _interval)
            {
                await PauseAsync(_interval, cancellationToken);
                var victim = run.Subject.Proxies[run.Random.Next(run.Subject.Proxies.Count)];
                if (run.Random.Next(2) == 0)
                {
                    victim.Reset();
                    resets++;
                }
                else
                {
                    due += _stall;
                    victim.Stall();
                    await PauseAsync(_stall, cancellationToken);
                    if (run.Random.Next(2) == 0)
                    {
                        victim.Reset();
                    }

                    victim.Resume();
                    stalls++;
                }

                recoveries.Add(await RecoverAsync(run, cancellationToken));
            }
        });

        run.Note("connections reset / stalled", $"{resets} / {stalls}");
        run.Note("until the next answer complete, longest", $"{recoveries.Max().TotalSeconds:0.0} s");
        run.Promise(
            recoveries.Max() <= _recoveryLimit,
            $"The longest recovery took {recoveries.Max().TotalSeconds:0.0} s instead of at most {_recoveryLimit.TotalSeconds:0} s.");
    }

    private static async Task<TimeSpan> RecoverAsync(ChaosRun run, CancellationToken cancellationToken)
    {
        var cut = TimeProvider.System.GetTimestamp();
        while (run.Tally.UntilCompletion(cut) is null && TimeProvider.System.GetElapsedTime(cut) < 4 * _recoveryLimit)
        {
            await PauseAsync(TimeSpan.FromMilliseconds(100), cancellationToken);
        }

        return run.Tally.UntilCompletion(cut) ?? (4 * _recoveryLimit);
    }
}
