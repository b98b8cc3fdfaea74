namespace AgentPlatform.Benchmarks.Chaos.Plans;

/// <summary>Workers stall, hold their connections, and wake as zombies.</summary>
internal sealed class FreezePlan : ChaosPlan
{
    private static readonly TimeSpan _freeze = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan _interval = TimeSpan.FromSeconds(14);

    public override string Name => "freeze";

    public override string Says => "SIGSTOP of a worker for 10 s, then SIGCONT, one worker after another";

    public override TimeSpan Length => 3 * _interval;

    public override async Task RunAsync(ChaosRun run, CancellationToken cancellationToken)
    {
        var freezes = 0;
        await run.UnderLoadAsync(async () =>
        {
            for (var due = TimeSpan.Zero; due < LengthOf(run); due += _interval)
            {
                await PauseAsync(_interval - _freeze, cancellationToken);
                await run.Subject.Workers[freezes++ % run.Subject.Workers.Count].FreezeAsync(_freeze, cancellationToken);
            }
        });

        run.Note("freezes", $"{freezes}");
        run.PromiseCompletion();
        run.PromiseGaps();
    }
}
