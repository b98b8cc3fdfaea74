using AgentPlatform.Benchmarks.Chaos.Clients;
using AgentPlatform.Benchmarks.Chaos.Subjects;
using AgentPlatform.Benchmarks.Load;
using AgentPlatform.Testing.Chaos;

namespace AgentPlatform.Benchmarks.Chaos.Plans;

/// <summary>
/// Some clients ask for much and read a few bytes a second, at the gateway and at the workers' own ports; others announce large bodies, or
/// begin them, and send a few bytes a second. New ones come all the time, and there are slots and room for bodies only if the earlier ones
/// lose theirs.
/// </summary>
internal sealed class SlowPlan : ChaosPlan
{
    private const int BytesPerSecond = 300;
    private const int BodyBytes = 1_900_000;
    private const int SendersOfEachKind = 25;
    private const int SlotsForReaders = 36;
    private static readonly TimeSpan _bodyTimeout = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan _readerInterval = TimeSpan.FromSeconds(0.5);
    private static readonly TimeSpan _readerStay = TimeSpan.FromSeconds(25);
    private static readonly TimeSpan _readerDeadline = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan _slotLimit = _readerDeadline + TimeSpan.FromSeconds(2);
    private static readonly TimeSpan _firstEvent = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan _pause = TimeSpan.FromSeconds(0.5);

    private static readonly ChaosRequest _long = ChaosRequest.Stream("Tell me a long story, I hardly read.", tokens: 560, choices: 64);

    // Api:StallTimeout is 5 s, and headers have Kestrel's 30 s; the rest is for the machine. A body that came fast before may trickle for
    // longer, since the least rate is an average, but not beyond Api:BodyTimeout.
    private static readonly SendingManner[] _manners =
    [
        new("announce and trickle", BodyBytes, AtOnce: 0, BytesPerSecond, TimeSpan.FromSeconds(10)),
        new("send half and trickle", BodyBytes, AtOnce: BodyBytes / 2, BytesPerSecond, _bodyTimeout + TimeSpan.FromSeconds(5)),
        new("send just enough", BodyBytes, AtOnce: 0, 2048, _bodyTimeout + TimeSpan.FromSeconds(5)),
        new("do not end their headers", null, AtOnce: 0, 40, TimeSpan.FromSeconds(35)),
    ];

    public override string Name => "slow";

    public override string Says =>
        $"clients that read {BytesPerSecond} bytes a second, and ones that announce {BodyBytes / 1e6:0.0} MB and send as slowly";

    public override TimeSpan Length => TimeSpan.FromMinutes(1);

    public override IEnumerable<ChaosRequest> OwnRequests => [_long];

    // Slow readers who kept their slots beyond their deadlines would soon have more than are free.
    public override SubjectShape Shape(ChaosOptions options) =>
        new(options.Workers, (options.Streams + SlotsForReaders) / options.Workers, TimeSpan.FromMilliseconds(50))
        {
            Settings = { ["Api__BodyTimeout"] = $"{_bodyTimeout}", ["Api__MaxTotalBodySize"] = $"{32 * 1024 * 1024}" },
        };

    public override async Task RunAsync(ChaosRun run, CancellationToken cancellationToken)
    {
        await TakeEndsAsync(run);
        List<Sending> sent = [];
        List<Reading> read = [];
        await run.UnderLoadAsync(async () =>
        {
            using var enough = new CancellationTokenSource(LengthOf(run), TimeProvider.System);
            using var stop = CancellationTokenSource.CreateLinkedTokenSource(enough.Token, cancellationToken);
            var senders = _manners.SelectMany(manner => Enumerable.Repeat(manner, SendersOfEachKind))
                .Select(manner => SendAgainAsync(run, manner, stop.Token)).ToList();
            read = await ReadAgainAsync(run, stop.Token);
            sent = [.. (await Task.WhenAll(senders)).SelectMany(ends => ends)];
        });

        Judge(run, sent);
        Judge(run, read, await TakeEndsAsync(run));
        run.PromiseCompletion();
        run.PromiseGaps();
        var first = run.Tally.FirstEventP99();
        run.Promise(
            first <= _firstEvent.TotalMilliseconds, $"The first event of the others took {first:0} ms (p99) instead of at most 2000 ms.");
    }

    private static async Task<List<Sending>> SendAgainAsync(ChaosRun run, SendingManner manner, CancellationToken stop)
    {
        var ends = new List<Sending>();
        while (!stop.IsCancellationRequested)
        {
            var end = await SlowSenders.SendAsync(run.Subject.Port, manner);
            ends.Add(new Sending(manner, end));
            if (end.Status == 503)
            {
                // There is no room for its body; it comes again, sooner than it was asked to.
                await Task.Delay(_pause, TimeProvider.System, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }

        return ends;
    }

    /// <summary>A new reader every half second: two of three at the gateway, the third one at a worker's own port.</summary>
    private static async Task<List<Reading>> ReadAgainAsync(ChaosRun run, CancellationToken stop)
    {
        var clients = run.Subject.Workers.Select(worker => new ChaosClient(worker.Port)).ToList();
        var reading = new List<Task<Answer>>();
        while (!stop.IsCancellationRequested)
        {
            var client = reading.Count % 3 == 2 ? clients[reading.Count / 3 % clients.Count] : run.Client;
            reading.Add(ReadAsync(client));
            await Task.Delay(_readerInterval, TimeProvider.System, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        var answers = await Task.WhenAll(reading);
        clients.ForEach(client => client.Dispose());
        return [.. answers.Select(answer => new Reading(answer, run.IsRight(_long, answer)))];
    }

    private static async Task<Answer> ReadAsync(ChaosClient client)
    {
        using var leave = new CancellationTokenSource(_readerStay, TimeProvider.System);
        return await client.AskAsync(_long, new ClientManner(BytesPerSecond: BytesPerSecond, Timeout: _readerDeadline, Leave: leave.Token));
    }

    private static void Judge(ChaosRun run, List<Sending> sent)
    {
        foreach (var kind in sent.GroupBy(sending => sending.Manner))
        {
            var (manner, ends) = (kind.Key, kind.Select(sending => sending.End).ToList());
            var longest = ends.Max(end => end.Length);
            var statuses = ends.GroupBy(end => end.Status).OrderBy(same => same.Key)
                .Select(same => $"{same.Count()} {(same.Key == 0 ? "cut" : same.Key)}");
            run.Note($"senders that {manner.Name}", $"{ends.Count}: {string.Join(", ", statuses)}; longest {longest.TotalSeconds:0.0} s");
            run.Promise(
                ends.All(end => end.IsEnded) && longest <= manner.Limit,
                $"One of those that {manner.Name} had its connection {longest.TotalSeconds:0.0} s, not {manner.Limit.TotalSeconds:0} s.");
            run.Promise(
                ends.All(end => end.Status is 0 or 408 or 503), $"One of those that {manner.Name} was answered neither 408 nor 503.");
        }
    }

    private static void Judge(ChaosRun run, List<Reading> read, Dictionary<Guid, long> ends)
    {
        var begun = read.Where(reader => reader.Answer.RequestId != default).Select(reader => reader.Answer).ToList();
        var times = begun.Where(answer => ends.ContainsKey(answer.RequestId))
            .Select(answer => TimeProvider.System.GetElapsedTime(answer.Asked, ends[answer.RequestId]).TotalSeconds).Order().ToList();
        run.Note("slow readers", $"{read.Count}, of which {begun.Count} read the beginning of their answers");
        var (p50, p99) = (LoadResult.Percentile(times, 0.5), LoadResult.Percentile(times, 0.99));
        var longest = times.DefaultIfEmpty(double.NaN).Last();
        var (missing, wrong) = (begun.Count - times.Count, read.Count(reader => !reader.IsRight));
        run.Note("their slot free after, p50 / p99 / longest", $"{p50:0.0} / {p99:0.0} / {longest:0.0} s");
        run.Promise(begun.Count > 0 && missing == 0, $"Of {begun.Count} slow readers {missing} still have their slots.");
        run.Promise(longest <= _slotLimit.TotalSeconds, $"A slow reader had its slot {longest:0.0} s, not {_slotLimit.TotalSeconds:0} s.");
        run.Promise(wrong == 0, $"{wrong} slow readers read what is not their answer.");
    }

    private static async Task<Dictionary<Guid, long>> TakeEndsAsync(ChaosRun run) =>
        (await Task.WhenAll(run.Subject.Workers.Select(worker => worker.TakeEndsAsync()))).SelectMany(found => found)
        .GroupBy(end => end.Key).ToDictionary(same => same.Key, same => same.Max(end => end.Value));

    private sealed record Sending(SendingManner Manner, SendingEnd End);

    private sealed record Reading(Answer Answer, bool IsRight);
}
