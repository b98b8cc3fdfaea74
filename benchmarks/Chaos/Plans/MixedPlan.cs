using AgentPlatform.Benchmarks.Chaos.Clients;
using AgentPlatform.Benchmarks.Chaos.Subjects;
using AgentPlatform.Testing.Chaos;

namespace AgentPlatform.Benchmarks.Chaos.Plans;

/// <summary>Everything that the other plans do, mixed. Held to what is right, not to times.</summary>
internal sealed class MixedPlan : ChaosPlan
{
    private const int LeaversPerHundred = 4;

    private static readonly ChaosRequest _poison = ChaosRequest.Poison();

    public override string Name => "mixed";

    public override string Says => "all faults mixed, while some clients leave";

    public override TimeSpan Length => TimeSpan.FromMinutes(2);

    public override IEnumerable<ChaosRequest> OwnRequests => [_poison, SlowClients.Request];

    public override SubjectShape Shape(ChaosOptions options) => base.Shape(options) with { IsProxied = true };

    public override async Task RunAsync(ChaosRun run, CancellationToken cancellationToken)
    {
        var faults = Fault.Create(run.Options.Seed, LengthOf(run), run.Subject.Workers.Count);
        var poisons = faults.Count(fault => fault.Kind == FaultKind.Poison);
        // A worker that other faults hold up dies late, and a late loss counts for a quarter; the first one may not count at all.
        (run.DeathsAllowed, run.DeadAllowed) = (poisons * ((4 * DeliveryLimit) + 1), poisons);
        await run.UnderLoadAsync(async () =>
        {
            var began = TimeProvider.System.GetTimestamp();
            var running = new List<Task>();
            foreach (var fault in faults)
            {
                var left = fault.At - TimeProvider.System.GetElapsedTime(began);
                await PauseAsync(left > TimeSpan.Zero ? left : TimeSpan.Zero, cancellationToken);
                ChaosReport.Write($"  {fault.At.TotalSeconds,6:0.0} s: {fault.Kind} {fault.Target}");
                running.Add(InjectAsync(run, fault, cancellationToken));
            }

            await Task.WhenAll(running);
        }, LeaversPerHundred);

        var kinds = faults.GroupBy(fault => fault.Kind).OrderBy(kind => kind.Key).Select(kind => $"{kind.Count()} {kind.Key}");
        run.Note("faults", $"{string.Join(", ", kinds)}");
    }

    private static async Task InjectAsync(ChaosRun run, Fault fault, CancellationToken cancellationToken)
    {
        var subject = run.Subject;
        switch (fault.Kind)
        {
            case FaultKind.Kill:
                await subject.Workers[fault.Target].CrashAsync(cancellationToken);
                break;
            case FaultKind.Restart:
                var exitCode = await subject.Workers[fault.Target].RestartAsync(cancellationToken);
                run.Promise(exitCode == 0, $"A worker that was told to stop ended with exit code {exitCode}.");
                break;
            case FaultKind.Freeze:
                await subject.Workers[fault.Target].FreezeAsync(fault.Length, cancellationToken);
                break;
            case FaultKind.Reset:
                subject.Proxies[fault.Target].Reset();
                break;
            case FaultKind.Stall:
                subject.Proxies[fault.Target].Stall();
                await PauseAsync(fault.Length, cancellationToken);
                subject.Proxies[fault.Target].Resume();
                break;
            case FaultKind.SlowClient:
                run.Promise(await SlowClients.ReadAsync(run, TimeSpan.FromSeconds(20)), $"A slow client read what is not its answer.");
                break;
            case FaultKind.Poison:
                await run.Crowd().AskAsync(_poison);
                break;
            default:
                await subject.Broker.KillAsync();
                await subject.Broker.StartAsync();
                break;
        }
    }
}
