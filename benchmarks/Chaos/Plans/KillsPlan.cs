namespace AgentPlatform.Benchmarks.Chaos.Plans;

/// <summary>Workers crash, one after another.</summary>
internal sealed class KillsPlan : ChaosPlan
{
    private static readonly TimeSpan _interval = TimeSpan.FromSeconds(2);

    public override string Name => "kills";

    public override string Says => "kill -9 of a random worker every 2 s, started again at once";

    public override TimeSpan Length => TimeSpan.FromSeconds(60);

    public override async Task RunAsync(ChaosRun run, CancellationToken cancellationToken)
    {
        var kills = 0;
        await run.UnderLoadAsync(async () =>
        {
            await PauseAsync(_interval, cancellationToken);
            var workers = run.Subject.Workers;
            var starts = workers.Select(_ => Task.CompletedTask).ToArray();
            var victim = -1;
            var began = TimeProvider.System.GetTimestamp();
            for (var due = _interval; due <= LengthOf(run); due += _interval)
            {
                // Not the one that is just starting, and never the last one that serves.
                victim = victim < 0 ? run.Random.Next(workers.Count) : (victim + 1 + run.Random.Next(workers.Count - 1)) % workers.Count;
                await starts[victim];
                await Task.WhenAny(starts.Where((_, index) => index != victim));
                starts[victim] = workers[victim].CrashAsync(cancellationToken);
                kills++;
                var left = due - TimeProvider.System.GetElapsedTime(began);
                await PauseAsync(left > TimeSpan.Zero ? left : TimeSpan.Zero, cancellationToken);
            }

            await Task.WhenAll(starts);
        });

        run.Note("kills", $"{kills}");
        run.PromiseCompletion();
        run.PromiseGaps();
    }
}
