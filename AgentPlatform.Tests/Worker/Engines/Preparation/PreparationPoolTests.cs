using AgentPlatform.Worker.Engines.Preparation;

namespace AgentPlatform.Tests.Worker.Engines.Preparation;

public sealed class PreparationPoolTests : IDisposable
{
    private const int Small = 1_000;
    private const int Short = 10_000;
    private const int Long = 1_000_000;

    private static readonly TimeSpan _limit = TimeSpan.FromMinutes(1);

    private readonly PreparationPool _pool = Preparations.Create();

    public void Dispose() => _pool.Dispose();

    [Theory]
    [InlineData(Short)]
    [InlineData(Long)]
    public async Task RunAsync_MoreThanAFewKilobytes_RunsOnAThreadThatIsNotThePools(int size) =>
        Assert.False(
            await _pool.RunAsync(size, _ => Thread.CurrentThread.IsThreadPoolThread, CancellationToken.None).AsTask().WaitAsync(_limit));

    [Fact]
    public async Task RunAsync_BehindALongRequest_ShortOnesAreNotHeldUp()
    {
        using var gate = new ManualResetEventSlim();
        var first = _pool.RunAsync(Long, token => gate.Wait(_limit, token), CancellationToken.None);
        var second = _pool.RunAsync(Long, _ => true, CancellationToken.None);

        Assert.Equal(1, await _pool.RunAsync(Small, _ => 1, CancellationToken.None).AsTask().WaitAsync(_limit));
        Assert.Equal(2, await _pool.RunAsync(Short, _ => 2, CancellationToken.None).AsTask().WaitAsync(_limit));
        Assert.False(second.IsCompleted);
        gate.Set();
        Assert.True(await first);
        Assert.True(await second);
    }

    [Fact]
    public async Task RunAsync_CancelledInTheLine_LeavesAtOnceAndIsNeverDone()
    {
        using var gate = new ManualResetEventSlim();
        var first = _pool.RunAsync(Long, token => gate.Wait(_limit, token), CancellationToken.None);
        using var cancel = new CancellationTokenSource();
        var isDone = false;
        var second = _pool.RunAsync(Long, _ => isDone = true, cancel.Token).AsTask();
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => second.WaitAsync(_limit));
        gate.Set();
        Assert.True(await first);
        Assert.True(await _pool.RunAsync(Long, _ => true, CancellationToken.None));
        Assert.False(isDone);
    }

    [Theory]
    [InlineData(Small)]
    [InlineData(Long)]
    public async Task RunAsync_WhatThrows_FailsItsOwnRequestOnly(int size)
    {
        await Assert.ThrowsAsync<FormatException>(
            async () => await _pool.RunAsync<int>(size, _ => throw new FormatException(), CancellationToken.None));
        Assert.Equal(1, await _pool.RunAsync(size, _ => 1, CancellationToken.None));
    }
}
