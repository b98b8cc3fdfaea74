namespace AgentPlatform.Benchmarks.Chaos.Plans;

/// <summary>Workers are replaced in order, as a rollout does.</summary>
internal sealed class RollingPlan : ChaosPlan
{
    private const int Rounds = 20;

    public override string Name => "rolling";

    public override string Says => $"{Rounds} rolling restarts of all workers: SIGTERM, exit, start, ready, the next one";

    public override TimeSpan Length => TimeSpan.FromMinutes(15);

    public override async Task RunAsync(ChaosRun run, CancellationToken cancellationToken)
    {
        var exitCodes = new List<int>();
        var began = TimeProvider.System.GetTimestamp();
        var rounds = 0;
        await run.UnderLoadAsync(async () =>
        {
            for (; rounds < Rounds && TimeProvider.System.GetElapsedTime(began) < LengthOf(run); rounds++)
            {
                foreach (var worker in run.Subject.Workers)
                {
                    exitCodes.Add(await worker.RestartAsync(cancellationToken));
                }
            }
        });

        var seconds = TimeProvider.System.GetElapsedTime(began).TotalSeconds / Math.Max(1, exitCodes.Count);
        run.Note("rolling restarts", $"{rounds} of {run.Subject.Workers.Count} workers, {seconds:0.0} s each");
        run.Promise(
            exitCodes.All(exitCode => exitCode == 0),
            $"{exitCodes.Count(exitCode => exitCode != 0)} of {exitCodes.Count} workers did not end with exit code 0.");
        run.PromiseCompletion();
    }
}
