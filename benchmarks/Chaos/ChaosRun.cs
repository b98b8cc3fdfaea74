using System.Globalization;
using AgentPlatform.Benchmarks.Chaos.Clients;
using AgentPlatform.Benchmarks.Chaos.Subjects;
using AgentPlatform.Testing.Chaos;

namespace AgentPlatform.Benchmarks.Chaos;

/// <summary>One run of a plan: the platform, its clients, what was counted, and which promises did not hold.</summary>
/// <param name="options">The command line.</param>
/// <param name="shape">The platform's.</param>
/// <param name="subject">The platform.</param>
/// <param name="requests">What the crowd asks.</param>
/// <param name="undisturbed">What they and the plan's own requests are to be answered.</param>
internal sealed class ChaosRun(
    ChaosOptions options, SubjectShape shape, Subject subject, IReadOnlyList<ChaosRequest> requests,
    IReadOnlyDictionary<ChaosRequest, Answer> undisturbed) : IDisposable
{
    private static readonly TimeSpan _progress = TimeSpan.FromSeconds(10);

    private readonly List<string> _broken = [];
    private readonly List<(string What, string Figure)> _notes = [];

    public ChaosOptions Options => options;

    public SubjectShape Shape => shape;

    public Subject Subject => subject;

    /// <summary>What the crowd asks.</summary>
    public IReadOnlyList<ChaosRequest> Requests => requests;

    public ChaosClient Client { get; } = new(subject.Port);

    /// <summary>Decides what the plan does.</summary>
    public Random Random { get; } = new(options.Seed);

    public Tally Tally { get; } = new(shape.Step);

    /// <summary>Workers that requests may have killed.</summary>
    public int DeathsAllowed { get; set; }

    /// <summary>Jobs that may have been given up; each must be a poison.</summary>
    public int DeadAllowed { get; set; }

    /// <summary>What the plan measured beside the counts.</summary>
    public IReadOnlyList<(string What, string Figure)> Notes => _notes;

    /// <summary>The promises that did not hold, one sentence each.</summary>
    public IReadOnlyList<string> Broken => _broken;

    /// <summary>Holds the platform to something.</summary>
    /// <param name="isKept">Whether it holds.</param>
    /// <param name="sentence">What is wrong if not.</param>
    public void Promise(bool isKept, FormattableString sentence)
    {
        if (!isKept)
        {
            _broken.Add(sentence.ToString(CultureInfo.InvariantCulture));
        }
    }

    /// <summary>Every request completed: nothing refused, nothing failed.</summary>
    public void PromiseCompletion()
    {
        var (refused, failed) = (Tally.Sum(Verdict.Refused), Tally.Sum(Verdict.Failed));
        Promise(refused == 0, $"{refused} of {Tally.Requests} requests were refused.");
        Promise(failed == 0, $"{failed} of {Tally.Requests} requests ended with an error.");
    }

    /// <summary>99 of 100 interrupted streams went on within two seconds.</summary>
    public void PromiseGaps()
    {
        var (count, _, p99) = Tally.Gaps();
        Promise(count == 0 || p99 <= 2000, $"The gap p99 of {count} interrupted streams is {p99:0} ms instead of at most 2000 ms.");
    }

    public void Note(string what, FormattableString figure) => _notes.Add((what, figure.ToString(CultureInfo.InvariantCulture)));

    /// <summary>A crowd that asks the plan's requests and counts here.</summary>
    public Crowd Crowd(Tally? tally = null, ChaosClient? client = null) =>
        new(client ?? Client, requests, undisturbed, tally ?? Tally, options.Seed);

    /// <summary>Whether what came of an answer that the tally does not count is right so far.</summary>
    public bool IsRight(ChaosRequest request, Answer answer) =>
        AnswerJudge.Judge(answer, undisturbed[request]).Verdict is not (Verdict.Wrong or Verdict.Duplicated);

    /// <summary>Lets the crowd ask while <paramref name="faults"/> run, and then to the end of what it has asked.</summary>
    public async Task UnderLoadAsync(Func<Task> faults, int leavers = 0, Crowd? crowd = null)
    {
        using var enough = new CancellationTokenSource();
        var asking = (crowd ?? Crowd()).RunAsync(options.Streams, leavers, enough.Token);
        var telling = TellAsync(enough.Token);
        try
        {
            await faults();
        }
        finally
        {
            await enough.CancelAsync();
        }

        await telling;
        await asking;
    }

    public void Dispose() => Client.Dispose();

    private async Task TellAsync(CancellationToken enough)
    {
        var began = TimeProvider.System.GetTimestamp();
        while (true)
        {
            await Task.Delay(_progress, TimeProvider.System, enough).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (enough.IsCancellationRequested)
            {
                return;
            }

            ChaosReport.Progress(TimeProvider.System.GetElapsedTime(began), Tally);
        }
    }
}
