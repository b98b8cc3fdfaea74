namespace AgentPlatform.Worker.Engines.Running;

/// <summary>
/// The places of requests in the engine, shared by jobs and HTTP; first
/// come, first served. A request may ask for all of them, to run alone.
/// </summary>
/// <remarks>Safe for concurrent use.</remarks>
internal sealed class EngineSlots : IDisposable
{
    private readonly SemaphoreSlim _free;

    // Whoever is at the door waits for places; the others wait behind him, so that one who needs all of them gets them.
    private readonly SemaphoreSlim _door = new(1, 1);
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

    /// <summary>Waits for a slot, or for all of them; dispose it to free it, once.</summary>
    public async ValueTask<Slot> EnterAsync(bool alone, CancellationToken cancellationToken)
    {
        if (alone || !TryEnter())
        {
            Interlocked.Increment(ref _waiting);
            try
            {
                await TakeAsync(alone ? Total : 1, cancellationToken);
            }
            finally
            {
                Interlocked.Decrement(ref _waiting);
            }
        }

        _metrics.SlotTaken();
        return new Slot(this, alone ? Total : 1);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _free.Dispose();
        _door.Dispose();
    }

    private bool TryEnter()
    {
        if (!_door.Wait(0, CancellationToken.None))
        {
            return false;
        }

        var isFree = _free.Wait(0, CancellationToken.None);
        _door.Release();
        return isFree;
    }

    private async Task TakeAsync(int count, CancellationToken cancellationToken)
    {
        await _door.WaitAsync(cancellationToken);
        var taken = 0;
        try
        {
            for (; taken < count; taken++)
            {
                await _free.WaitAsync(cancellationToken);
            }
        }
        finally
        {
            if (taken < count && taken > 0)
            {
                _free.Release(taken);
            }

            _door.Release();
        }
    }

    /// <summary>A place in the engine, or all of them.</summary>
    /// <remarks>Not safe for concurrent use.</remarks>
    public sealed class Slot(EngineSlots owner, int count) : IDisposable
    {
        private int _count = count;

        /// <summary>Keeps one place and lets others have the rest.</summary>
        public void Share()
        {
            if (_count > 1)
            {
                owner._free.Release(_count - 1);
                _count = 1;
            }
        }

        /// <inheritdoc/>
        public void Dispose()
        {
            owner._metrics.SlotFreed();
            owner._free.Release(_count);
        }
    }
}
