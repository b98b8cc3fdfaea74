namespace AgentPlatform.Inference.Batching;

/// <summary>
/// Gathers requests that come one by one into batches, for what computes many as fast as one. While a batch is computed the next
/// one gathers; <see cref="BatchingOptions"/> says how long and how large.
/// </summary>
/// <remarks>
/// Safe for concurrent use. Items keep their order. The computation returns its results in the order of the items. It may block its
/// thread and is called for one batch at a time, or for as many as the constructor allows; its token is cancelled when every caller
/// of its batch has gone. When it throws, it has failed for the items of that batch only.
/// </remarks>
public sealed class MicroBatcher<TItem, TResult> : IAsyncDisposable
{
    private readonly Lock _lock = new();
    private readonly LinkedList<Entry> _waiting = [];
    private readonly Func<IReadOnlyList<TItem>, CancellationToken, ValueTask<IReadOnlyList<TResult>>> _compute;
    private readonly BatchingOptions _options;
    private readonly TimeProvider _time;
    private readonly BatchingMetrics? _metrics;
    private readonly int _maxConcurrentBatches;
    private TaskCompletionSource? _gathering;
    private TaskCompletionSource? _idle;
    private int _pumps;
    private bool _stopped;

    // One of the pumps gathers the next batch; the others compute theirs.
    private bool _hasGatherer;

    /// <param name="compute">Computes a batch.</param>
    /// <param name="options">Limits of a batch.</param>
    /// <param name="time">Measures the delay.</param>
    /// <param name="metrics">Where batches are counted, if anywhere.</param>
    /// <param name="maxConcurrentBatches">How many batches may be computed at once.</param>
    public MicroBatcher(
        Func<IReadOnlyList<TItem>, CancellationToken, ValueTask<IReadOnlyList<TResult>>> compute, BatchingOptions options,
        TimeProvider time,
        BatchingMetrics? metrics = null, int maxConcurrentBatches = 1)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(maxConcurrentBatches, 1);
        (_compute, _options, _time, _metrics, _maxConcurrentBatches) = (compute, options, time, metrics, maxConcurrentBatches);
    }

    /// <summary>Whether a batch is being held back until it is full or its delay is over.</summary>
    internal bool IsGathering
    {
        get
        {
            lock (_lock)
            {
                return _gathering is not null;
            }
        }
    }

    /// <summary>
    /// The result for <paramref name="item"/>. An item that is cancelled, or whose time is over before its batch begins, is not
    /// computed.
    /// </summary>
    /// <exception cref="InferenceException">
    /// <see cref="ErrorKind.DeadlinePassed"/>: <paramref name="limit"/> has passed; <see cref="ErrorKind.Unavailable"/>: the batcher was
    /// stopped.
    /// </exception>
    public async Task<TResult> RunAsync(TItem item, TimeLimit limit, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var node = new LinkedListNode<Entry>(new Entry(item, limit, _time.GetTimestamp()));
        lock (_lock)
        {
            if (_stopped)
            {
                throw new InferenceException(InferenceError.Unavailable("The process is stopping.", retryAfterSeconds: 1));
            }

            _waiting.AddLast(node);
            if (_waiting.Count >= _options.MaxBatchSize)
            {
                _gathering?.TrySetResult();
            }

            StartGatherer();
        }

        await using var cancelled = cancellationToken.UnsafeRegister(_ => Cancel(node, cancellationToken), null);
        return await node.Value.Result.Task;
    }

    /// <summary>Takes no more items, computes those that wait without further delay, and returns when they are done.</summary>
    public async ValueTask DisposeAsync()
    {
        Task idle;
        lock (_lock)
        {
            _stopped = true;
            _gathering?.TrySetResult();
            _idle ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            if (_pumps == 0)
            {
                _idle.TrySetResult();
            }

            idle = _idle.Task;
        }

        await idle;
    }

    /// <summary>Starts a pump for what waits, unless one gathers already or no more may run; the lock is held.</summary>
    private void StartGatherer()
    {
        if (_hasGatherer || _pumps == _maxConcurrentBatches || _waiting.Count == 0)
        {
            return;
        }

        _hasGatherer = true;
        _pumps++;
        // Not on the caller's thread: it may have more to add, and the computation may block it.
        ThreadPool.UnsafeQueueUserWorkItem(static batcher => _ = batcher.PumpAsync(), this, preferLocal: false);
    }

    private void Cancel(LinkedListNode<Entry> node, CancellationToken cancellationToken)
    {
        Batch? abandoned = null;
        lock (_lock)
        {
            if (node.List is not null)
            {
                _waiting.Remove(node);
            }
            else if (node.Value.Batch is { } batch && --batch.Callers == 0)
            {
                abandoned = batch;
            }
        }

        node.Value.Result.TrySetCanceled(cancellationToken);
        abandoned?.Abandoned.Cancel();
    }

    private async Task PumpAsync()
    {
        while (true)
        {
            await GatherAsync();
            var batch = Take();
            if (batch.Entries.Count > 0)
            {
                await ComputeAsync(batch);
            }

            lock (_lock)
            {
                if (_hasGatherer || _waiting.Count == 0)
                {
                    if (--_pumps == 0)
                    {
                        _idle?.TrySetResult();
                    }

                    return;
                }

                _hasGatherer = true;
            }
        }
    }

    /// <summary>Waits until the oldest item has waited for the whole delay or the batch is full.</summary>
    private async Task GatherAsync()
    {
        ITimer timer;
        TaskCompletionSource gathered;
        lock (_lock)
        {
            if (_stopped || _waiting.Count >= _options.MaxBatchSize || _waiting.First is not { } oldest)
            {
                return;
            }

            var left = _options.MaxDelay - _time.GetElapsedTime(oldest.Value.Arrived);
            if (left <= TimeSpan.Zero)
            {
                return;
            }

            gathered = _gathering = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            timer = _time.CreateTimer(
                static state => ((TaskCompletionSource)state!).TrySetResult(), gathered, left, Timeout.InfiniteTimeSpan);
        }

        await using (timer)
        {
            await gathered.Task;
        }

        lock (_lock)
        {
            _gathering = null;
        }
    }

    /// <summary>The next batch; empty if whatever waited was cancelled or too late.</summary>
    private Batch Take()
    {
        var expired = new List<Entry>();
        var batch = new Batch();
        lock (_lock)
        {
            while (batch.Entries.Count < _options.MaxBatchSize && _waiting.First is { } first)
            {
                _waiting.RemoveFirst();
                if (first.Value.Limit.HasPassed)
                {
                    expired.Add(first.Value);
                }
                else
                {
                    first.Value.Batch = batch;
                    batch.Entries.Add(first.Value);
                    batch.Callers++;
                }
            }

            _hasGatherer = false;
            StartGatherer();
        }

        foreach (var entry in expired)
        {
            _metrics?.Shed();
            entry.Result.TrySetException(new InferenceException(InferenceError.DeadlinePassed()));
        }

        return batch;
    }

    private async Task ComputeAsync(Batch batch)
    {
        var entries = batch.Entries;
        _metrics?.Began(entries.Count);
        foreach (var entry in entries)
        {
            _metrics?.Waited(_time.GetElapsedTime(entry.Arrived));
        }

        try
        {
            var results = await _compute(entries.ConvertAll(static entry => entry.Item), batch.Abandoned.Token);
            if (results.Count != entries.Count)
            {
                throw new InvalidOperationException($"A batch of {entries.Count} was computed to {results.Count} results.");
            }

            for (var i = 0; i < entries.Count; i++)
            {
                entries[i].Result.TrySetResult(results[i]);
            }
        }
        catch (Exception e)
        {
            // Every kind of failure is for the callers of this batch to handle; the pump must continue for the others.
            foreach (var entry in entries)
            {
                entry.Result.TrySetException(e);
            }
        }
    }

    private sealed class Entry(TItem item, TimeLimit limit, long arrived)
    {
        public TItem Item => item;

        public TimeLimit Limit => limit;

        public long Arrived => arrived;

        /// <summary>Null while the item waits.</summary>
        public Batch? Batch { get; set; }

        public TaskCompletionSource<TResult> Result { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }

#pragma warning disable CA1001 // The source has neither timer nor wait handle to release, and the last caller may cancel it late.
    private sealed class Batch
#pragma warning restore CA1001
    {
        public List<Entry> Entries { get; } = [];

        /// <summary>How many callers still wait for their results; guarded by the batcher's lock.</summary>
        public int Callers { get; set; }

        public CancellationTokenSource Abandoned { get; } = new();
    }
}
