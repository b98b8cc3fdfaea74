using AgentPlatform.Inference;
using AgentPlatform.Inference.OpenAI;
using AgentPlatform.Worker.Engines.Running;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace AgentPlatform.Tests.Worker.Engines.Running;

public sealed class EngineRunnerTests : IDisposable
{
    private static readonly TimeSpan _limit = TimeSpan.FromMinutes(1);

    private readonly FakeTimeProvider _time = new();
    private readonly ScriptedEngine _engine = new();
    private readonly EngineMetrics _metrics = Meters.OfEngine();
    private readonly EngineSlots _slots;
    private readonly EngineRunner _runner;

    public EngineRunnerTests()
    {
        _slots = new EngineSlots(1, _metrics);
        _runner = new EngineRunner(_engine, _slots, _metrics, _time, NullLogger<EngineRunner>.Instance);
        Assert.True(_engine.WarmUpAsync(CancellationToken.None).IsCompletedSuccessfully);
    }

    public void Dispose() => _slots.Dispose();

    [Fact]
    public async Task An_answer_passes_through_and_frees_its_slot()
    {
        var answer = Start(Requests.Create()).ReadAsync();
        var run = await _engine.NextAsync();
        Assert.Equal(1, _slots.Active);
        run.Give(ReplyKind.Delta, "{}");
        run.Give(ReplyKind.End);
        Assert.Equal(["Started ", "Delta {}", "End "], await answer.WaitAsync(_limit));
        Assert.Equal(0, _slots.Active);
    }

    [Fact]
    public async Task What_the_model_cannot_do_is_refused_naming_the_model_field()
    {
        var error = await Start(Requests.Create(Operation.Analyze)).FailureAsync();
        Assert.Equal((400, "model"), (error.Status, error.Param));
        Assert.False(_engine.HasNext);
    }

    [Fact]
    public async Task A_request_past_its_deadline_costs_no_compute()
    {
        var error = await Start(Requests.Create(timeLimit: new TimeLimit(TimeSpan.Zero, _time))).FailureAsync();
        Assert.Equal(504, error.Status);
        Assert.False(_engine.HasNext);
    }

    [Fact]
    public async Task A_request_that_finds_no_memory_is_503_to_be_tried_again()
    {
        var answer = Start(Requests.Create()).FailureAsync();
        (await _engine.NextAsync()).Fail(new InsufficientMemoryException()); // Of the kind that the runtime throws.
        Assert.Equal((503, 2), (await answer is var error ? error.Status : 0, error.RetryAfterSeconds));
    }

    [Fact]
    public async Task A_request_waits_for_a_slot()
    {
        var first = Start(Requests.Create()).ReadAsync();
        var second = Start(Requests.Create()).ReadAsync();
        var run = await _engine.NextAsync();
        Assert.Equal(1, _slots.Waiting);
        Assert.False(_engine.HasNext);
        run.Give(ReplyKind.Result, "{}");
        await first.WaitAsync(_limit);
        (await _engine.NextAsync()).Give(ReplyKind.Result, "{}");
        await second.WaitAsync(_limit);
        Assert.Equal((0, 0), (_slots.Active, _slots.Waiting));
    }

    [Fact]
    public async Task A_request_whose_deadline_passes_while_it_waits_never_reaches_the_engine()
    {
        var first = Start(Requests.Create()).ReadAsync();
        var late = Start(Requests.Create(timeLimit: new TimeLimit(TimeSpan.FromSeconds(1), _time))).FailureAsync();
        var run = await _engine.NextAsync();
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(504, (await late).Status);
        run.Give(ReplyKind.Result, "{}");
        await first.WaitAsync(_limit);
        Assert.False(_engine.HasNext);
    }

    [Fact]
    public async Task What_runs_past_its_deadline_is_ended_and_frees_its_slot()
    {
        var failure = Start(Requests.Create(timeLimit: new TimeLimit(TimeSpan.FromSeconds(1), _time))).FailureAsync();
        var run = await _engine.NextAsync();
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(504, (await failure).Status);
        await run.Cancelled.Task.WaitAsync(_limit);
        Assert.Equal(0, _slots.Active);
    }

    [Fact]
    public async Task A_caller_that_leaves_frees_the_slot()
    {
        using var leave = new CancellationTokenSource();
        var answer = _runner.RunAsync(Requests.Create(), leave.Token).ReadAsync();
        var run = await _engine.NextAsync();
        await leave.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => answer.WaitAsync(_limit));
        await run.Cancelled.Task.WaitAsync(_limit);
        Assert.Equal(0, _slots.Active);
    }

    [Fact]
    public async Task A_request_that_was_cancelled_before_costs_no_compute()
    {
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => _runner.RunAsync(Requests.Create(), new CancellationToken(canceled: true)).ReadAsync());
        Assert.False(_engine.HasNext);
    }

    [Fact]
    public async Task Whatever_an_engine_throws_is_an_engine_error()
    {
        var failure = Start(Requests.Create()).FailureAsync();
        (await _engine.NextAsync()).Fail(new InvalidOperationException("secret"));
        var error = await failure;
        Assert.Equal((502, "engine_error"), (error.Status, error.Code));
        Assert.DoesNotContain("secret", error.Message, StringComparison.Ordinal);
        Assert.Equal(0, _slots.Active);
    }

    [Fact]
    public async Task An_engine_says_itself_what_is_wrong_with_a_request()
    {
        var failure = Start(Requests.Create()).FailureAsync();
        (await _engine.NextAsync()).Fail(new InferenceException(InferenceError.Invalid("Too long.", "messages")));
        Assert.Equal("messages", (await failure).Param);
    }

    [Fact]
    public async Task An_engine_that_stops_short_does_not_pass_for_complete()
    {
        var failure = Start(Requests.Create()).FailureAsync();
        var run = await _engine.NextAsync();
        run.Give(ReplyKind.Delta, "{}");
        run.StopShort();
        Assert.Equal("engine_error", (await failure).Code);
    }

    private IAsyncEnumerable<ReplyPart> Start(InferenceRequest request) => _runner.RunAsync(request, CancellationToken.None);
}
