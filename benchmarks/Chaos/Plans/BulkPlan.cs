using AgentPlatform.Benchmarks.Chaos.Clients;
using AgentPlatform.Benchmarks.Chaos.Subjects;
using AgentPlatform.Messaging.RabbitMQ;
using AgentPlatform.Testing.Chaos;

namespace AgentPlatform.Benchmarks.Chaos.Plans;

/// <summary>Some clients ask with as much as they may and do not wait for long, while others ask as everybody does.</summary>
internal sealed class BulkPlan : ChaosPlan
{
    private const int SlotsPerWorker = 8;
    private const int LargeClients = 60;
    private const int SmallClients = 16;
    private const int LargeBytes = 1_900_000;
    private static readonly TimeSpan _shortDeadline = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan _look = TimeSpan.FromMilliseconds(250);

    // Answers take longer than their clients wait: all of that work is wasted, and all that waits expires.
    private static readonly ChaosRequest _large =
        ChaosRequest.Stream(string.Concat(Enumerable.Repeat("large ", LargeBytes / 6)), tokens: 200) with { Name = "large request" };

    public override string Name => "bulk";

    public override string Says =>
        $"{LargeClients} clients with requests of {LargeBytes / 1e6:0.0} MB and deadlines of {_shortDeadline.TotalSeconds:0} s, "
        + $"beside {SmallClients} others";

    public override TimeSpan Length => TimeSpan.FromMinutes(1);

    public override IEnumerable<ChaosRequest> OwnRequests => [_large];

    public override SubjectShape Shape(ChaosOptions options) => new(options.Workers, SlotsPerWorker, TimeSpan.FromMilliseconds(20));

    public override IReadOnlyList<ChaosRequest> Requests(Random random) => ChaosRequest.Create(random, count: 200, fewest: 10, most: 20);

    public override async Task RunAsync(ChaosRun run, CancellationToken cancellationToken)
    {
        using var enough = new CancellationTokenSource(LengthOf(run), TimeProvider.System);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(enough.Token, cancellationToken);
        var large = new Tally(run.Shape.Step);
        var asking = Task.WhenAll(Enumerable.Range(0, LargeClients).Select(_ => AskAgainAsync(run.Crowd(large), stop.Token)));
        var watching = WatchAsync(run, stop.Token);
        await run.Crowd().RunAsync(SmallClients, leavers: 0, stop.Token);
        await asking;
        var longest = await watching;

        var (small, completed) = (run.Tally.Requests, run.Tally.Sum(Verdict.Completed));
        var bound = new QueueOptions().MaxQueueBytes;
        var errors = string.Join(", ", large.Errors.Select(error => $"{error.Value:N0} {error.Key}"));
        run.Note(
            "large requests",
            $"{large.Requests:N0}, {large.Sum(Verdict.Refused):N0} refused, {large.Sum(Verdict.Failed):N0} failed: {errors}");
        run.Note("jobs in the queue, most", $"{longest}, at most {longest * (LargeBytes / 1e6):0} MB of {bound / 1e6:0} MB");
        run.Promise(completed >= 0.95 * small, $"{completed} of {small} small requests were completed, beside the large ones.");
        run.Promise(longest * (double)LargeBytes <= bound, $"{longest} jobs waited, more than {bound} bytes if they were large.");
        run.Promise(
            large.Requests > LargeClients && large.RefusalsWithoutRetryAfter == 0,
            $"{large.RefusalsWithoutRetryAfter} of {large.Requests} large requests were refused without a time to come again.");
        run.Promise(
            !run.Tally.Errors.Keys.Concat(large.Errors.Keys).Any(error => error.Contains("unavailable", StringComparison.Ordinal)),
            $"The gateway lost its connection to the broker.");
    }

    private static async Task AskAgainAsync(Crowd crowd, CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            if (await crowd.AskAsync(_large, new ClientManner(Timeout: _shortDeadline)) is { Status: not 200 })
            {
                // Sooner than it was asked to.
                await Task.Delay(_shortDeadline / 6, TimeProvider.System, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    /// <summary>The most jobs that were seen in the queue.</summary>
    private static async Task<uint> WatchAsync(ChaosRun run, CancellationToken stop)
    {
        await using var connection = await run.Subject.Broker.ConnectAsync();
        await using var channel = await connection.CreateChannelAsync(cancellationToken: CancellationToken.None);
        var most = 0u;
        while (!stop.IsCancellationRequested)
        {
            most = Math.Max(most, await channel.MessageCountAsync(run.Subject.Queue, CancellationToken.None));
            await Task.Delay(_look, TimeProvider.System, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        return most;
    }
}
