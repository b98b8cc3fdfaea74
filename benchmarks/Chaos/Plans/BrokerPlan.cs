namespace AgentPlatform.Benchmarks.Chaos.Plans;

/// <summary>The broker's node fails and comes back.</summary>
internal sealed class BrokerPlan : ChaosPlan
{
    private const int Restarts = 5;
    private static readonly TimeSpan _recoveryLimit = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(60);

    public override string Name => "broker";

    public override string Says => $"the broker's node killed and started {Restarts} times";

    public override TimeSpan Length => TimeSpan.FromMinutes(5);

    public override async Task RunAsync(ChaosRun run, CancellationToken cancellationToken)
    {
        var recoveries = new List<TimeSpan>();
        await run.UnderLoadAsync(async () =>
        {
            for (var i = 0; i < Restarts; i++)
            {
                await PauseAsync(TimeSpan.FromSeconds(5), cancellationToken);
                await run.Subject.Broker.KillAsync();
                await run.Subject.Broker.StartAsync();
                var up = TimeProvider.System.GetTimestamp();
                while (run.Tally.UntilCompletion(up) is null && TimeProvider.System.GetElapsedTime(up) < _patience)
                {
                    await PauseAsync(TimeSpan.FromMilliseconds(100), cancellationToken);
                }

                recoveries.Add(run.Tally.UntilCompletion(up) ?? _patience);
            }
        });

        run.Note(
            "from the node up to the next answer complete",
            $"{string.Join(", ", recoveries.Select(recovery => FormattableString.Invariant($"{recovery.TotalSeconds:0.0}")))} s");
        run.Promise(
            recoveries.All(recovery => recovery <= _recoveryLimit),
            $"The longest recovery took {recoveries.Max().TotalSeconds:0.0} s instead of at most {_recoveryLimit.TotalSeconds:0} s.");
    }
}
