using System.Text;
using AgentPlatform.Inference;
using AgentPlatform.Inference.OpenAI;
using AgentPlatform.Messaging.Answering;
using AgentPlatform.Messaging.Asking;
using AgentPlatform.Messaging.Wire;
using AgentPlatform.Tests.Worker;
using Microsoft.Extensions.Time.Testing;

namespace AgentPlatform.Tests.Messaging.Asking;

public sealed class ReplyAssemblyTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly AskingOptions _options = new();
    private readonly ReplyAssembly _stream;

    public ReplyAssemblyTests() =>
        _stream = new ReplyAssembly(Worker.Requests.Create(stream: true), "infer.m.1.default", "1", _options, _time);

    [Fact]
    public async Task Accept_OfFramesInOrder_GivesTheAnswerAndEnds()
    {
        Accept(0, "S", "a", "b", "E");
        Assert.Equal("ab", await ReadTextAsync());
    }

    [Fact]
    public async Task Accept_OfDuplicates_GivesEachPartOnce()
    {
        Accept(0, "S", "a");
        Accept(0, "S", "a", "b", "E");
        Assert.Equal("ab", await ReadTextAsync());
    }

    [Fact]
    public async Task Claim_OfARedeliveredJob_IsGrantedWithWhatThereIs()
    {
        Accept(0, "S", "a", "b");
        var grant = Claim(issue: 0);
        Assert.Equal(((ushort?)1, 2u, "ab", false), (grant!.Attempt, grant.Parts, Encoding.UTF8.GetString(grant.ResumeState), grant.Alone));
        Accept(1, from: 2, "S", "c", "E");
        Assert.Equal("abc", await ReadTextAsync());
    }

    [Fact]
    public async Task Accept_OfAnAttemptThatBeginsAnew_LeavesOutWhatTheClientHas()
    {
        Accept(0, "S", "a", "b");
        Claim(issue: 0);
        Accept(1, "S", "a", "b", "c", "E");
        Assert.Equal("abc", await ReadTextAsync());
    }

    [Fact]
    public async Task Accept_OfALateFrameOfAnOlderAttempt_IgnoresIt()
    {
        Accept(0, "S", "a");
        Claim(issue: 0);
        Assert.False(_stream.Accept(ToFrame(0, 1, "zombie")));
        Accept(1, from: 1, "S", "b", "E");
        Assert.Equal("ab", await ReadTextAsync());
    }

    [Fact]
    public async Task Accept_OfAGap_LosesTheAttemptAndIssuesTheRequestAgain()
    {
        Accept(0, "S", "a");
        Accept(0, from: 3, "d");
        Assert.Equal((RequestNeed.Reissue, 1), Check());
        Assert.False(_stream.Accept(ToFrame(0, 1, "b")));
        Assert.Equal(1u, Claim(issue: 1)!.Parts);
        Accept(1, from: 1, "S", "b", "E");
        Assert.Equal("ab", await ReadTextAsync());
    }

    [Fact]
    public void Check_OfASilentWorker_IssuesTheRequestAgainOnce()
    {
        Accept(0, "S", "a");
        _time.Advance(_options.LeaseTimeout);
        Assert.Equal(RequestNeed.None, Check().Need);
        _time.Advance(TimeSpan.FromMilliseconds(1));
        Assert.Equal((RequestNeed.Reissue, 1), Check());
        Assert.Equal(RequestNeed.None, Check().Need);

        // The second and third message may be lost as well.
        _time.Advance(TimeSpan.FromMilliseconds(500));
        Assert.Equal((RequestNeed.Reissue, 3), Check());
    }

    [Fact]
    public void Check_WhileTheWorkerIsHeardOf_NeedsNothing()
    {
        Accept(0, "S");
        for (var i = 0; i < 20; i++)
        {
            _time.Advance(new AnsweringOptions().HeartbeatInterval);
            Accept(0, "A");
            Assert.Equal(RequestNeed.None, Check().Need);
        }
    }

    [Fact]
    public void Check_OfARequestThatWaitsInTheQueue_NeedsNothing()
    {
        _time.Advance(TimeSpan.FromHours(1));
        Assert.Equal(RequestNeed.None, Check().Need);
    }

    [Fact]
    public void Check_OfARequestThatIsNeitherInTheQueueNorAtAWorker_IssuesItAgain()
    {
        Assert.Equal(RequestNeed.None, _stream.Check(0, isFirstGone: true, out _));
        _time.Advance(TimeSpan.FromSeconds(3));
        Assert.Equal(RequestNeed.Reissue, _stream.Check(0, isFirstGone: true, out var issue));
        Assert.Equal(1, issue);
        Assert.False(_stream.Accept(ToFrame(0, 0, "S")));
        Assert.Equal((ushort)1, Claim(issue: 1)!.Attempt);
    }

    [Fact]
    public void Check_AfterTheGatewayItselfWasDeaf_GivesTheWorkerTheTimeOfALease()
    {
        Accept(0, "S", "a");
        _time.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(RequestNeed.None, _stream.Check(_time.GetTimestamp(), isFirstGone: false, out _));
    }

    [Fact]
    public void Claim_WithAnotherMessageWhileAWorkerIsAtIt_IsRefused()
    {
        Accept(0, "S", "a");
        _time.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal((RequestNeed.Reissue, 1), Check());
        Assert.Equal((ushort)1, Claim(issue: 1)!.Attempt);

        // The frozen worker's connection ended, and the broker gave its message to somebody.
        Assert.Null(Claim(issue: 0)!.Attempt);

        // The second one is lost too.
        Assert.Equal((ushort)2, Claim(issue: 1)!.Attempt);
    }

    [Fact]
    public void Claim_ThatIsRepeated_GetsTheSameAnswer()
    {
        Accept(0, "S", "a");
        var question = new ClaimNote("w", Guid.NewGuid(), 0);
        var (first, second) = (_stream.Claim(question, 0)!, _stream.Claim(question, 0)!);
        Assert.Equal(first with { ResumeState = [] }, second with { ResumeState = [] });
    }

    [Fact]
    public async Task Claim_OfAnAnsweredRequest_IsRefused()
    {
        Accept(0, "S", "a", "E");
        Assert.Null(Claim(issue: 0)!.Attempt);
        await ReadTextAsync();
        Assert.Null(Claim(issue: 0)!.Attempt);
    }

    [Fact]
    public void Losses_WithoutANewPart_HaveTheRequestRunAloneAndGivenUp()
    {
        Accept(0, "S", "a");
        var alone = new List<bool>();
        while (Claim(issue: 0) is { Attempt: { } attempt } grant)
        {
            alone.Add(grant.Alone);
            Accept(attempt, from: 1, "S");
        }

        Assert.Equal([false, false, false, false, true], alone);
        Assert.Equal(RequestNeed.DeadLetter, Check().Need);
        Assert.Equal(RequestNeed.None, Check().Need);
        Assert.Equal([1u, 0u, 0u, 0u, 0u, 0u], _stream.Attempts().Select(attempt => attempt.Parts));
    }

    [Fact]
    public void Losses_ThatComeLate_MakeTheRequestSuspectLate()
    {
        var losses = 0;
        while (Claim(issue: 0) is { Attempt: { } attempt })
        {
            Accept(attempt, "S");
            _time.Advance(TimeSpan.FromSeconds(1));
            Accept(attempt, "A");
            losses++;
        }

        Assert.Equal(4 * _options.DeliveryLimit, losses);
    }

    [Fact]
    public void Losses_BeforeTheEngineBegan_HaveTheRequestGivenUpToo()
    {
        var alone = new List<bool>();
        while (Claim(issue: 0) is { Attempt: { } attempt } grant)
        {
            alone.Add(grant.Alone);
            Accept(attempt, "A");
        }

        // Waiting to be alone is not to be alone: these losses are somebody else's rather, and count for a quarter.
        Assert.Equal([false, false, false, false, true, true, true, true], alone);
        Assert.Equal(RequestNeed.DeadLetter, Check().Need);
    }

    [Fact]
    public void Silence_BeforeTheEngineBegan_IssuesTheRequestNoMoreOftenThanItMayBeLost()
    {
        var (reissues, issue) = (0, (ushort)0);
        Accept(0, "A");
        for (var need = RequestNeed.None; need != RequestNeed.DeadLetter; need = Check(out issue))
        {
            if (need == RequestNeed.Reissue)
            {
                reissues++;
                Assert.NotNull(Claim(issue)!.Attempt);
            }

            _time.Advance(_options.LeaseTimeout + TimeSpan.FromMilliseconds(1));
        }

        Assert.InRange(reissues, _options.DeliveryLimit - 1, (2 * _options.DeliveryLimit) - 2);
    }

    [Fact]
    public void Losses_ThatComeLateInTheLineOfTheWorker_MakeTheRequestSuspectLate()
    {
        var losses = 0;
        while (Claim(issue: 0) is { Attempt: { } attempt })
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            Accept(attempt, "A");
            losses++;
        }

        Assert.Equal(4 * _options.DeliveryLimit, losses);
    }

    [Fact]
    public void Losses_WhileTheBrokerIsAway_AreNotHeldAgainstTheRequest()
    {
        var granted = Claim(issue: 0)!;
        for (var round = 0; round < 5 * _options.DeliveryLimit; round++)
        {
            Accept(granted.Attempt!.Value, "S");
            _time.Advance(TimeSpan.FromMilliseconds(1));
            var brokerIsBack = _time.GetTimestamp();
            if (round % 2 == 0)
            {
                granted = _stream.Claim(new ClaimNote("worker", Guid.NewGuid(), 0), brokerIsBack)!;
            }
            else
            {
                _time.Advance(_options.LeaseTimeout + TimeSpan.FromMilliseconds(1));
                Assert.Equal(RequestNeed.Reissue, _stream.Check(brokerIsBack, isFirstGone: false, out _));
                granted = Claim(issue: 0)!;
            }

            Assert.False(granted.Alone);
        }
    }

    [Fact]
    public void Losses_InGoodOrderOrAfterNewParts_AreNoOnesFault()
    {
        for (ushort round = 0; round < 20; round++)
        {
            var grant = Claim(issue: 0)!;
            Assert.False(grant.Alone);
            var attempt = grant.Attempt!.Value;
            string[][] kinds = [["A", "R"], ["S", "R"], ["S", "x"]];
            Accept(attempt, from: grant.Parts, kinds[round % 3]);
        }
    }

    [Fact]
    public async Task Accept_OfAnErrorFrame_GivesThePartsBeforeItAndThenTheError()
    {
        var error = InferenceError.Invalid("The prompt is too long.", "messages");
        Accept(0, "S", "a");
        _stream.Accept(new Frame(_stream.Request.RequestId, 0, 1, FrameKind.Error, ErrorNote.ToUtf8(error, "w")));
        var text = new StringBuilder();
        var failure = await Assert.ThrowsAsync<InferenceException>(async () =>
        {
            await foreach (var part in _stream.ReadAsync(CancellationToken.None))
            {
                text.Append(Encoding.UTF8.GetString(part.Payload.Span));
            }
        });
        Assert.Equal(("a", error), (text.ToString(), failure.Error));
    }

    [Fact]
    public async Task Accept_OfADeadlineThatHasNotPassed_LosesTheAttemptAndSaysWhoseItWas()
    {
        var early = new List<(string?, TimeSpan)>();
        var request = Worker.Requests.Create(stream: true, timeLimit: new TimeLimit(TimeSpan.FromSeconds(30), _time));
        var stream = new ReplyAssembly(request, "infer.m.1.default", "1", _options, _time)
        {
            EndedEarly = (worker, left) => early.Add((worker, left)),
        };
        stream.Accept(Late(request, attempt: 0));
        Assert.Equal([("fast", TimeSpan.FromSeconds(30))], early);
        Assert.Equal(RequestNeed.Reissue, stream.Check(0, isFirstGone: false, out _));
        var grant = stream.Claim(new ClaimNote("w", Guid.NewGuid(), 1), 0)!;
        Assert.Equal(((ushort?)1, 30_000L), (grant.Attempt, grant.TimeLeft));

        // Its own clock says so, too.
        _time.Advance(TimeSpan.FromSeconds(30));
        stream.Accept(Late(request, attempt: 1));
        Assert.Equal(504, (await stream.ReadAsync(CancellationToken.None).FailureAsync()).Status);
        Assert.Single(early);
    }

    [Fact]
    public async Task Accept_OfADeadlineThatEveryWorkerTakesForPassed_EndsTheRequest()
    {
        var request = Worker.Requests.Create(stream: true, timeLimit: new TimeLimit(TimeSpan.FromSeconds(30), _time));
        var stream = new ReplyAssembly(request, "infer.m.1.default", "1", _options, _time);
        var attempts = 0;
        for (ushort? attempt = 0; attempt is { } current; attempts++)
        {
            stream.Accept(Late(request, current));
            attempt = stream.Claim(new ClaimNote("w", Guid.NewGuid(), 0), 0)!.Attempt;
        }

        Assert.Equal(_options.DeliveryLimit + 1, attempts);
        Assert.Equal(504, (await stream.ReadAsync(CancellationToken.None).FailureAsync()).Status);
    }

    [Fact]
    public async Task Accept_OfAFrameThatCannotBeRead_LosesTheAttempt()
    {
        Accept(0, "S", "a");
        _stream.Accept(new Frame(_stream.Request.RequestId, 0, 0, FrameKind.Unreadable, default));
        Assert.Equal((RequestNeed.Reissue, 1), Check());
        Accept(Claim(issue: 1)!.Attempt!.Value, from: 1, "S", "b", "E");
        Assert.Equal("ab", await ReadTextAsync());
    }

    [Fact]
    public async Task Accept_OfAStartWhoseNoteCannotBeRead_GoesOn()
    {
        _stream.Accept(new Frame(_stream.Request.RequestId, 0, 0, FrameKind.Started, "no JSON"u8.ToArray()));
        Accept(0, "a", "E");
        Assert.Equal("a", await ReadTextAsync());
    }

    private static Frame Late(InferenceRequest request, ushort attempt) =>
        new(request.RequestId, attempt, 0, FrameKind.Error, ErrorNote.ToUtf8(InferenceError.DeadlinePassed(), "fast"));

    [Fact]
    public async Task Accept_BeyondTheCapacity_FailsThisRequestOnly()
    {
        for (var i = 0u; i <= _options.ReplyCapacity; i++)
        {
            _stream.Accept(ToFrame(0, i, "x"));
        }

        var failure = await Assert.ThrowsAsync<InferenceException>(ReadTextAsync);
        Assert.Equal("client_too_slow", failure.Error.Code);
    }

    private void Accept(ushort attempt, params string[] parts) => Accept(attempt, 0, parts);

    /// <summary>S: the engine began; A: alive; R: given back; E: end; anything else is text, and its own resume state.</summary>
    private void Accept(ushort attempt, uint from, params string[] parts)
    {
        foreach (var part in parts)
        {
            _stream.Accept(ToFrame(attempt, from, part));
            from += part is "S" or "A" or "R" ? 0u : 1u;
        }
    }

    private Frame ToFrame(ushort attempt, uint offset, string part) => part switch
    {
        "S" => new Frame(_stream.Request.RequestId, attempt, offset, FrameKind.Started, new StartedNote("worker").ToUtf8()),
        "A" => new Frame(_stream.Request.RequestId, attempt, 0, FrameKind.Alive, default),
        "R" => new Frame(_stream.Request.RequestId, attempt, 0, FrameKind.Returned, default),
        "E" => new Frame(_stream.Request.RequestId, attempt, offset, FrameKind.End, default),
        _ =>
            new Frame(
                _stream.Request.RequestId, attempt, offset, FrameKind.Delta, Encoding.UTF8.GetBytes(part), Encoding.UTF8.GetBytes(part)),
    };

    private GrantMessage? Claim(ushort issue) => _stream.Claim(new ClaimNote("worker", Guid.NewGuid(), issue), 0);

    private RequestNeed Check(out ushort issue) => _stream.Check(0, isFirstGone: false, out issue);

    private (RequestNeed Need, ushort Issue) Check() => (_stream.Check(0, isFirstGone: false, out var issue), issue);

    private async Task<string> ReadTextAsync()
    {
        var text = new StringBuilder();
        await foreach (var part in _stream.ReadAsync(CancellationToken.None))
        {
            text.Append(Encoding.UTF8.GetString(part.Payload.Span));
        }

        return text.ToString();
    }
}
