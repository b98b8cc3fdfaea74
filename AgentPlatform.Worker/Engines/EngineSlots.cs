namespace AgentPlatform.Worker.Engines;

/// <summary>The places of requests in the engine, shared by jobs and HTTP; first come, first served.</summary>
/// <remarks>Safe for concurrent use.</remarks>
internal sealed class EngineSlots : IDisposable
{
    private readonly SemaphoreSlim _free;
    private readonly EngineMetrics _metrics;
    private int _waiting;

    public EngineSlots(int total, EngineMetrics metrics)
    {
        (Total, _free, _metrics) = (total, new SemaphoreSlim(total, total), metrics);
        metrics.SlotsExist(total);
    }

    /// <summary>How many there are.</summary>
    public int Total { get; }

    /// <summary>How many are taken.</summary>
    public int Active => Total - _free.CurrentCount;

    /// <summary>How many requests wait for one.</summary>
    public int Waiting => Volatile.Read(ref _waiting);

    /// <summary>Waits for a slot; dispose it to free it, once.</summary>
    public async ValueTask<Slot> EnterAsync(CancellationToken cancellationToken)
    {
        if (!_free.Wait(0, CancellationToken.None))
        {
            Interlocked.Increment(ref _waiting);
            try
            {
                await _free.WaitAsync(cancellationToken);
            }
            finally
            {
                Interlocked.Decrement(ref _waiting);
            }
        }

        _metrics.SlotTaken();
        return new Slot(this);
    }

    /// <inheritdoc/>
    public void Dispose() => _free.Dispose();

    /// <summary>A place in the engine.</summary>
    public readonly struct Slot(EngineSlots owner) : IDisposable
    {
        /// <inheritdoc/>
        public void Dispose()
        {
            owner._metrics.SlotFreed();
            owner._free.Release();
        }
    }
}
