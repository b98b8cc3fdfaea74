using System.Threading.Channels;
using AgentPlatform.Inference;
using AgentPlatform.Inference.Batching;
using AgentPlatform.Inference.OpenAI;
using AgentPlatform.Tests.Worker;
using Microsoft.Extensions.Time.Testing;

namespace AgentPlatform.Tests.Inference.Batching;

public sealed class MicroBatcherTests
{
    private static readonly TimeSpan _limit = TimeSpan.FromMinutes(1);

    private readonly FakeTimeProvider _time = new();
    private readonly Channel<Batch> _batches = Channel.CreateUnbounded<Batch>();

    [Fact]
    public async Task A_lone_item_is_computed_at_once()
    {
        var batcher = Create();
        var result = Add(batcher, 1);
        await FinishAsync([1]);
        Assert.Equal("1", await result.WaitAsync(_limit));
    }

    [Fact]
    public async Task What_comes_while_the_engine_is_busy_is_the_next_batch()
    {
        var batcher = Create();
        var first = Add(batcher, 1);
        var busy = await NextAsync();
        var others = new[] { Add(batcher, 2), Add(batcher, 3), Add(batcher, 4) };
        busy.Succeed();
        await FinishAsync([2, 3, 4]);
        Assert.Equal("1", await first.WaitAsync(_limit));
        Assert.Equal(["2", "3", "4"], await Task.WhenAll(others).WaitAsync(_limit));
    }

    [Fact]
    public async Task A_batch_never_exceeds_its_maximum()
    {
        var batcher = Create(maxBatchSize: 2);
        var results = new List<Task<string>> { Add(batcher, 1) };
        var busy = await NextAsync();
        results.AddRange(Enumerable.Range(2, 5).Select(item => Add(batcher, item)));
        busy.Succeed();
        await FinishAsync([2, 3]);
        await FinishAsync([4, 5]);
        await FinishAsync([6]);
        Assert.Equal(["1", "2", "3", "4", "5", "6"], await Task.WhenAll(results).WaitAsync(_limit));
    }

    [Fact]
    public async Task With_a_delay_the_oldest_item_waits_for_company_that_long_and_no_longer()
    {
        var batcher = Create(maxDelay: TimeSpan.FromMilliseconds(50));
        var first = Add(batcher, 1);
        await GatheringAsync(batcher);
        _time.Advance(TimeSpan.FromMilliseconds(30));
        var second = Add(batcher, 2);
        _time.Advance(TimeSpan.FromMilliseconds(19));
        Assert.False(_batches.Reader.TryPeek(out _));
        _time.Advance(TimeSpan.FromMilliseconds(1));
        await FinishAsync([1, 2]);
        await Task.WhenAll(first, second).WaitAsync(_limit);
    }

    [Fact]
    public async Task With_a_delay_a_full_batch_does_not_wait()
    {
        var batcher = Create(maxBatchSize: 3, maxDelay: TimeSpan.FromSeconds(10));
        var results = new[] { Add(batcher, 1), Add(batcher, 2), Add(batcher, 3) };
        await FinishAsync([1, 2, 3]);
        await Task.WhenAll(results).WaitAsync(_limit);
    }

    [Fact]
    public async Task An_item_whose_deadline_passed_is_not_computed()
    {
        var batcher = Create();
        var first = Add(batcher, 1);
        var busy = await NextAsync();
        var late = Add(batcher, 2, TimeSpan.FromSeconds(1));
        var punctual = Add(batcher, 3, TimeSpan.FromSeconds(3));
        _time.Advance(TimeSpan.FromSeconds(2));
        busy.Succeed();
        await FinishAsync([3]);
        var refusal = await Assert.ThrowsAsync<InferenceException>(() => late.WaitAsync(_limit));
        Assert.Equal(504, refusal.Error.Status);
        await Task.WhenAll(first, punctual).WaitAsync(_limit);
    }

    [Fact]
    public async Task When_all_that_waits_is_too_late_nothing_is_computed_and_the_next_item_is_served()
    {
        var batcher = Create();
        var first = Add(batcher, 1);
        var busy = await NextAsync();
        var late = Add(batcher, 2, TimeSpan.FromSeconds(1));
        _time.Advance(TimeSpan.FromSeconds(2));
        busy.Succeed();
        await Assert.ThrowsAsync<InferenceException>(() => late.WaitAsync(_limit));
        await first.WaitAsync(_limit);
        var next = Add(batcher, 3);
        await FinishAsync([3]);
        await next.WaitAsync(_limit);
    }

    [Fact]
    public async Task A_batch_that_fails_fails_for_its_own_items_only()
    {
        var batcher = Create();
        var first = Add(batcher, 1);
        var failing = await NextAsync();
        var second = Add(batcher, 2);
        failing.Fail(new InvalidOperationException("out of memory"));
        await FinishAsync([2]);
        await Assert.ThrowsAsync<InvalidOperationException>(() => first.WaitAsync(_limit));
        Assert.Equal("2", await second.WaitAsync(_limit));
    }

    [Fact]
    public async Task An_engine_that_loses_a_result_fails_its_batch()
    {
        var batcher = Create();
        var first = Add(batcher, 1);
        (await NextAsync()).Succeed([]);
        await Assert.ThrowsAsync<InvalidOperationException>(() => first.WaitAsync(_limit));
    }

    [Fact]
    public async Task An_item_that_is_cancelled_while_it_waits_is_not_computed()
    {
        var batcher = Create();
        var first = Add(batcher, 1);
        var busy = await NextAsync();
        using var leave = new CancellationTokenSource();
        var left = batcher.RunAsync(2, default, leave.Token);
        var stayed = Add(batcher, 3);
        await leave.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => left.WaitAsync(_limit));
        busy.Succeed();
        await FinishAsync([3]);
        await Task.WhenAll(first, stayed).WaitAsync(_limit);
    }

    [Fact]
    public async Task An_item_that_is_cancelled_while_it_is_computed_ends_at_once_and_its_neighbours_are_served()
    {
        var batcher = Create(maxBatchSize: 2, maxDelay: TimeSpan.FromSeconds(10));
        using var leave = new CancellationTokenSource();
        var left = batcher.RunAsync(1, default, leave.Token);
        var stayed = Add(batcher, 2);
        var busy = await NextAsync();
        await leave.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => left.WaitAsync(_limit));
        busy.Succeed();
        Assert.Equal("2", await stayed.WaitAsync(_limit));
    }

    [Fact]
    public async Task A_batch_is_abandoned_when_its_last_caller_has_gone()
    {
        var batcher = Create(maxBatchSize: 2, maxDelay: TimeSpan.FromSeconds(10));
        using var first = new CancellationTokenSource();
        using var second = new CancellationTokenSource();
        var left = new[] { batcher.RunAsync(1, default, first.Token), batcher.RunAsync(2, default, second.Token) };
        var busy = await NextAsync();
        await first.CancelAsync();
        Assert.False(busy.Abandoned.IsCancellationRequested);
        await second.CancelAsync();
        Assert.True(busy.Abandoned.IsCancellationRequested);
        foreach (var call in left)
        {
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call.WaitAsync(_limit));
        }

        busy.Fail(new OperationCanceledException(busy.Abandoned));
        var next = Add(batcher, 3);
        await GatheringAsync(batcher);
        _time.Advance(TimeSpan.FromSeconds(10));
        await FinishAsync([3]);
        await next.WaitAsync(_limit);
    }

    [Fact]
    public async Task Batches_are_computed_side_by_side_as_far_as_that_is_allowed()
    {
        var batcher = Create(maxConcurrentBatches: 2);
        var first = Add(batcher, 1);
        var one = await NextAsync();
        var second = Add(batcher, 2);
        var two = await NextAsync();
        var others = new[] { Add(batcher, 3), Add(batcher, 4) };
        Assert.False(_batches.Reader.TryPeek(out _));
        two.Succeed();
        Assert.Equal("2", await second.WaitAsync(_limit));
        await FinishAsync([3, 4]);
        await Task.WhenAll(others).WaitAsync(_limit);
        one.Succeed();
        Assert.Equal("1", await first.WaitAsync(_limit));
    }

    [Fact]
    public async Task What_exceeds_a_full_batch_gathers_while_that_one_is_computed()
    {
        var batcher = Create(maxBatchSize: 2, maxDelay: TimeSpan.FromSeconds(10), maxConcurrentBatches: int.MaxValue);
        var results = new[] { Add(batcher, 1), Add(batcher, 2) };
        var busy = await NextAsync();
        var late = Add(batcher, 3);
        await GatheringAsync(batcher);
        Assert.False(_batches.Reader.TryPeek(out _));
        _time.Advance(TimeSpan.FromSeconds(10));
        await FinishAsync([3]);
        Assert.Equal("3", await late.WaitAsync(_limit));
        var stopped = batcher.DisposeAsync().AsTask();
        Assert.False(stopped.IsCompleted);
        busy.Succeed();
        await stopped.WaitAsync(_limit);
        await Task.WhenAll(results).WaitAsync(_limit);
    }

    [Fact]
    public async Task Stopping_computes_what_waits_without_further_delay_and_refuses_what_comes()
    {
        var batcher = Create(maxDelay: TimeSpan.FromSeconds(10));
        var waiting = Add(batcher, 1);
        var stopped = batcher.DisposeAsync().AsTask();
        var batch = await NextAsync();
        var refusal = await Assert.ThrowsAsync<InferenceException>(() => Add(batcher, 2));
        Assert.Equal(503, refusal.Error.Status);
        Assert.False(stopped.IsCompleted);
        batch.Succeed();
        await stopped.WaitAsync(_limit);
        Assert.Equal("1", await waiting.WaitAsync(_limit));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(int.MaxValue)]
    public async Task Many_callers_get_their_own_results(int maxConcurrentBatches)
    {
        await using var batcher = new MicroBatcher<int, string>(
            (items, _) => ValueTask.FromResult<IReadOnlyList<string>>([.. items.Select(item => $"{item}")]),
            new BatchingOptions { MaxBatchSize = 7 }, _time, Meters.OfBatching(), maxConcurrentBatches);
        var callers = Enumerable.Range(0, 16).Select(async caller =>
        {
            await Task.Yield();
            for (var i = 0; i < 500; i++)
            {
                Assert.Equal($"{(caller * 1000) + i}", await batcher.RunAsync((caller * 1000) + i, default, CancellationToken.None));
            }
        });
        await Task.WhenAll(callers).WaitAsync(_limit);
    }

    private MicroBatcher<int, string> Create(int maxBatchSize = 8, TimeSpan maxDelay = default, int maxConcurrentBatches = 1) => new(
        async (items, cancellationToken) =>
        {
            var batch = new Batch(items, cancellationToken);
            _batches.Writer.TryWrite(batch);
            return await batch.Results.Task;
        }, new BatchingOptions { MaxBatchSize = maxBatchSize, MaxDelay = maxDelay }, _time, Meters.OfBatching(), maxConcurrentBatches);

    private Task<string> Add(MicroBatcher<int, string> batcher, int item, TimeSpan? timeout = null) =>
        batcher.RunAsync(item, timeout is { } left ? new TimeLimit(left, _time) : default, CancellationToken.None);

    private Task<Batch> NextAsync() => _batches.Reader.ReadAsync().AsTask().WaitAsync(_limit);

    private async Task FinishAsync(int[] expected)
    {
        var batch = await NextAsync();
        Assert.Equal(expected, batch.Items);
        batch.Succeed();
    }

    private static async Task GatheringAsync(MicroBatcher<int, string> batcher)
    {
        // The virtual clock must not move before the wait for it has begun.
        var began = TimeProvider.System.GetTimestamp();
        while (!batcher.IsGathering)
        {
            Assert.True(TimeProvider.System.GetElapsedTime(began) < _limit);
            await Task.Yield();
        }
    }

    private sealed record Batch(IReadOnlyList<int> Items, CancellationToken Abandoned)
    {
        public TaskCompletionSource<IReadOnlyList<string>> Results { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public void Succeed() => Results.SetResult([.. Items.Select(item => $"{item}")]);

        public void Succeed(IReadOnlyList<string> results) => Results.SetResult(results);

        public void Fail(Exception e) => Results.SetException(e);
    }
}
