using System.Text;
using AgentPlatform.Inference;
using AgentPlatform.Worker.Engines.Simulated;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;

namespace AgentPlatform.Tests.Worker.Engines.Simulated;

public sealed class SimulatedEngineTests
{
    private static readonly TimeSpan _limit = TimeSpan.FromMinutes(1);

    private readonly FakeTimeProvider _time = new();

    [Fact]
    public async Task With_all_times_zero_a_whole_answer_needs_no_clock()
    {
        var parts = await ReadAsync(Start(NoOp(tokens: 5), stream: false));
        Assert.Equal(
            [
                """Result {"choices":[{"index":0,"message":{"role":"assistant","content":"This answer is simulated:"}"""
                    + ""","finish_reason":"stop"}],"usage":{"prompt_tokens":2,"completion_tokens":5,"total_tokens":7}}""",
            ],
            parts);
    }

    [Fact]
    public async Task A_stream_gives_tokens_then_its_reason_to_end_then_usage()
    {
        var parts = await ReadAsync(Start(NoOp(tokens: 2), stream: true));
        Assert.Equal(
            [
                """Delta {"choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]}""",
                """Delta {"choices":[{"index":0,"delta":{"content":"This"},"finish_reason":null}]}""",
                """Delta {"choices":[{"index":0,"delta":{"content":" answer"},"finish_reason":null}]}""",
                """Delta {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}""",
                """End {"prompt_tokens":2,"completion_tokens":2,"total_tokens":4}""",
            ], parts);
    }

    [Fact]
    public async Task Several_choices_advance_together_and_each_ends_once()
    {
        var parts = await ReadAsync(Start(NoOp(tokens: 6), stream: true, more: ",\"n\":2"));
        Assert.Equal(2, parts.Count(part => part.Contains("\"finish_reason\":\"stop\"", StringComparison.Ordinal)));
        Assert.Equal(
            7,
            parts.Count(
                part => part.Contains("\"index\":1", StringComparison.Ordinal) && part.Contains("content", StringComparison.Ordinal)));
        Assert.Contains("\"index\":0", parts[0], StringComparison.Ordinal);
        Assert.Contains("\"index\":1", parts[1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_first_token_and_each_further_one_take_their_time()
    {
        var engine = Create(
            new SimulatedOptions
            {
                TimeToFirstToken = TimeSpan.FromMilliseconds(100),
                TimePerToken = TimeSpan.FromMilliseconds(20),
                AnswerTokens = 2,
            });
        await using var parts = Start(engine, stream: true).GetAsyncEnumerator();
        var first = parts.MoveNextAsync().AsTask();
        _time.Advance(TimeSpan.FromMilliseconds(99));
        Assert.False(first.IsCompleted);
        _time.Advance(TimeSpan.FromMilliseconds(1));
        Assert.True(await first.WaitAsync(_limit));
        Assert.True(await parts.MoveNextAsync()); // The role came with it.

        var second = parts.MoveNextAsync().AsTask();
        _time.Advance(TimeSpan.FromMilliseconds(19));
        Assert.False(second.IsCompleted);
        _time.Advance(TimeSpan.FromMilliseconds(1));
        Assert.True(await second.WaitAsync(_limit));
    }

    [Fact]
    public async Task Streams_share_the_end_of_a_step_which_is_longer_the_more_they_are()
    {
        var engine = Create(
            new SimulatedOptions
            {
                TimeToFirstToken = TimeSpan.Zero,
                TimePerToken = TimeSpan.FromMilliseconds(20),
                BatchSlope = 0.5,
                AnswerTokens = 8,
            });
        await using var first = Start(engine, stream: true).GetAsyncEnumerator();
        await using var second = Start(engine, stream: true).GetAsyncEnumerator();
        foreach (var roleOrToken in (IAsyncEnumerator<ReplyPart>[])[first, second, first, second])
        {
            Assert.True(await roleOrToken.MoveNextAsync());
        }

        // The step that had begun when the second stream joined.
        var tokens = new[] { first.MoveNextAsync().AsTask(), second.MoveNextAsync().AsTask() };
        _time.Advance(TimeSpan.FromMilliseconds(20));
        await Task.WhenAll(tokens).WaitAsync(_limit);

        tokens = [first.MoveNextAsync().AsTask(), second.MoveNextAsync().AsTask()];
        _time.Advance(TimeSpan.FromMilliseconds(29));
        Assert.All(tokens, token => Assert.False(token.IsCompleted));
        _time.Advance(TimeSpan.FromMilliseconds(1));
        await Task.WhenAll(tokens).WaitAsync(_limit);
    }

    [Fact]
    public async Task A_cancelled_stream_ends_with_the_step()
    {
        var engine = Create(new SimulatedOptions { TimeToFirstToken = TimeSpan.Zero, TimePerToken = TimeSpan.FromMilliseconds(20) });
        using var leave = new CancellationTokenSource();
        await using var parts = engine.RunAsync(Request(stream: true), leave.Token).GetAsyncEnumerator();
        Assert.True(await parts.MoveNextAsync());
        Assert.True(await parts.MoveNextAsync());
        var next = parts.MoveNextAsync().AsTask();
        await leave.CancelAsync();
        _time.Advance(TimeSpan.FromMilliseconds(20));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => next.WaitAsync(_limit));
    }

    [Fact]
    public async Task A_stream_that_is_cancelled_before_its_first_token_ends_at_once()
    {
        var engine = Create(new SimulatedOptions { TimeToFirstToken = TimeSpan.FromSeconds(1) });
        using var leave = new CancellationTokenSource();
        await using var parts = engine.RunAsync(Request(stream: true), leave.Token).GetAsyncEnumerator();
        var first = parts.MoveNextAsync().AsTask();
        await leave.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first.WaitAsync(_limit));
    }

    private SimulatedEngine Create(SimulatedOptions options) => new(Options.Create(options), Preparations.Create(), _time);

    private SimulatedEngine NoOp(int tokens) =>
        Create(new SimulatedOptions { TimeToFirstToken = TimeSpan.Zero, TimePerToken = TimeSpan.Zero, AnswerTokens = tokens });

    private static IAsyncEnumerable<ReplyPart> Start(SimulatedEngine engine, bool stream, string more = "") =>
        engine.RunAsync(Request(stream, more), CancellationToken.None);

    private static InferenceRequest Request(bool stream, string more = "") => new()
    {
        RequestId = Guid.NewGuid(),
        Model = "m",
        Operation = Operation.Chat,
        Stream = stream,
        Deadline = DateTimeOffset.MaxValue,
        Body = Encoding.UTF8.GetBytes($"{{\"messages\":[{{\"role\":\"user\",\"content\":\"two words\"}}]{more}}}"),
    };

    private static async Task<List<string>> ReadAsync(IAsyncEnumerable<ReplyPart> answer)
    {
        var parts = new List<string>();
        await foreach (var part in answer)
        {
            parts.Add($"{part.Kind} {Encoding.UTF8.GetString(part.Payload.Span)}");
        }

        return parts;
    }
}
