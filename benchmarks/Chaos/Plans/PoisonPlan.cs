using AgentPlatform.Benchmarks.Chaos.Clients;
using AgentPlatform.Testing.Chaos;

namespace AgentPlatform.Benchmarks.Chaos.Plans;

/// <summary>One request kills every worker that runs it.</summary>
internal sealed class PoisonPlan : ChaosPlan
{
    private const int Innocents = 31;

    private static readonly ChaosRequest _poison = ChaosRequest.Poison();
    private static readonly IReadOnlyList<ChaosRequest> _innocents = [.. Enumerable.Range(0, Innocents).Select(index =>
        ChaosRequest.Stream($"Innocent question {index}.", tokens: 100))];

    public override string Name => "poison";

    public override string Says => "1 of 32 requests at once kills the worker that runs it";

    public override TimeSpan Length => TimeSpan.FromMinutes(1);

    public override IEnumerable<ChaosRequest> OwnRequests => [_poison, .. _innocents];

    public override async Task RunAsync(ChaosRun run, CancellationToken cancellationToken)
    {
        // The first worker may be lost before its gateway has heard that the request began there.
        (run.DeathsAllowed, run.DeadAllowed) = (DeliveryLimit + 1, 1);
        var crowd = run.Crowd();
        var innocents = Task.WhenAll(_innocents.Select(innocent => crowd.AskAsync(innocent)));
        var poison = await crowd.AskAsync(_poison);
        await innocents.WaitAsync(cancellationToken);

        // A worker that the poison has just killed is to be there when all of them are asked what they hold.
        await PauseAsync(TimeSpan.FromSeconds(3), cancellationToken);
        var deaths = run.Subject.Workers.Sum(worker => worker.Deaths);
        var dead = await run.Subject.ReadDeadAsync(cancellationToken);
        run.Note("workers that it killed", $"{deaths}");
        run.Note("what its client was told", $"{poison.Status} {poison.Error}");
        run.Promise(
            run.Tally.Sum(Verdict.Completed) == Innocents,
            $"{run.Tally.Sum(Verdict.Completed)} of {Innocents} innocent requests were completed.");
        run.Promise(poison.Error is not null, $"The client of the poison was not told an error.");
        run.Promise(deaths > 0, $"The poison killed no worker.");
        run.Promise(dead.Count == 1, $"{dead.Count} jobs were given up instead of the poison alone.");
    }
}
