using AgentPlatform.Benchmarks.Chaos.Subjects;

namespace AgentPlatform.Benchmarks.Chaos.Plans;

/// <summary>Workers whose clocks are minutes ahead, minutes behind and right, and are set again and again while they work.</summary>
internal sealed class ClockPlan : ChaosPlan
{
    private const int SecondsOff = 360;
    private static readonly TimeSpan _interval = TimeSpan.FromSeconds(5);

    public override string Name => "clock";

    public override string Says => "clocks of workers six minutes ahead and behind, set anew every 5 s";

    public override TimeSpan Length => TimeSpan.FromSeconds(45);

    public override SubjectShape Shape(ChaosOptions options) => base.Shape(options) with { HasWrongClocks = true };

    public override async Task RunAsync(ChaosRun run, CancellationToken cancellationToken)
    {
        var workers = run.Subject.Workers;
        await Task.WhenAll(workers.Select(worker => worker.TakeEndsAsync()));
        var settings = 0;
        await run.UnderLoadAsync(async () =>
        {
            for (var left = LengthOf(run); left > TimeSpan.Zero; left -= _interval)
            {
                // One ahead, one behind, one right; and in the end all of them were everything.
                await Task.WhenAll(workers.Select((worker, index) => worker.SetClockAsync((((index + settings) % 3) - 1) * SecondsOff)));
                settings++;
                await PauseAsync(left < _interval ? left : _interval, cancellationToken);
            }
        });

        var ends = (await Task.WhenAll(workers.Select(worker => worker.TakeEndsAsync()))).Select(found => found.Count).ToList();
        run.Note("times that all clocks were set", $"{settings}");
        run.Note("requests by worker", $"{string.Join(" / ", ends)}");
        run.Promise(ends.Min() * 2 >= ends.Max(), $"The workers did {string.Join(", ", ends)} requests: one of them attracts the load.");
        run.PromiseCompletion();
        run.PromiseGaps();
    }
}
