using AgentPlatform.Inference;

namespace AgentPlatform.Worker.Batching;

/// <summary>
/// Gathers requests that come one by one into batches for an engine that computes many as fast as one. One batch is computed at
/// a time; what comes meanwhile is the next one (<see cref="BatchingOptions.MaxDelay"/> says when it waits longer than that).
/// </summary>
/// <remarks>
/// Safe for concurrent use. Items keep their order. The computation gives its results in the order of the items; it is called by one
/// caller at a time, on a thread that it may block. When it throws, it has failed for the items of that batch only.
/// </remarks>
internal sealed class DynamicBatcher<TItem, TResult>(
    Func<IReadOnlyList<TItem>, ValueTask<IReadOnlyList<TResult>>> compute, BatchingOptions options, TimeProvider time, BatchingMetrics metrics) : IAsyncDisposable
{
    private readonly Lock _lock = new();
    private readonly LinkedList<Entry> _waiting = [];
    private TaskCompletionSource? _gathering;
    private TaskCompletionSource? _idle;
    private bool _running;
    private bool _stopped;

    /// <summary>Whether a batch waits for company now.</summary>
    public bool IsGathering
    {
        get
        {
            lock (_lock)
            {
                return _gathering is not null;
            }
        }
    }

    /// <summary>The result for <paramref name="item"/>. An item that is cancelled, or whose time is over before its batch begins, is not computed.</summary>
    /// <exception cref="InferenceException">504: <paramref name="limit"/> has passed; 503: the batcher was stopped.</exception>
    public async Task<TResult> RunAsync(TItem item, TimeLimit limit, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var node = new LinkedListNode<Entry>(new Entry(item, limit, time.GetTimestamp()));
        lock (_lock)
        {
            if (_stopped)
            {
                throw new InferenceException(InferenceError.Unavailable("The worker is stopping.", retryAfterSeconds: 1));
            }

            _waiting.AddLast(node);
            if (!_running)
            {
                _running = true;
                // Not on the caller's thread: it may have more to add, and the engine may block it.
                ThreadPool.UnsafeQueueUserWorkItem(static batcher => _ = batcher.PumpAsync(), this, preferLocal: false);
            }
            else if (_waiting.Count >= options.MaxBatchSize)
            {
                _gathering?.TrySetResult();
            }
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
            if (!_running)
            {
                _idle.TrySetResult();
            }

            idle = _idle.Task;
        }

        await idle;
    }

    private void Cancel(LinkedListNode<Entry> node, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            // Otherwise it is being computed: the others of its batch need that, so only its result is dropped.
            if (node.List is not null)
            {
                _waiting.Remove(node);
            }
        }

        node.Value.Result.TrySetCanceled(cancellationToken);
    }

    private async Task PumpAsync()
    {
        while (true)
        {
            await GatherAsync();
            var batch = Take();
            if (batch is null)
            {
                return;
            }

            if (batch.Count > 0)
            {
                await ComputeAsync(batch);
            }
        }
    }

    /// <summary>Waits for company until the oldest item has waited long enough or the batch is full.</summary>
    private async Task GatherAsync()
    {
        ITimer timer;
        TaskCompletionSource gathered;
        lock (_lock)
        {
            if (_stopped || _waiting.Count >= options.MaxBatchSize || _waiting.First is not { } oldest)
            {
                return;
            }

            var left = options.MaxDelay - time.GetElapsedTime(oldest.Value.Arrived);
            if (left <= TimeSpan.Zero)
            {
                return;
            }

            gathered = _gathering = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            timer = time.CreateTimer(static state => ((TaskCompletionSource)state!).TrySetResult(), gathered, left, Timeout.InfiniteTimeSpan);
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

    /// <summary>The next batch; empty if all that waited was too late, null if nothing waits and the pump has ended.</summary>
    private List<Entry>? Take()
    {
        var expired = new List<Entry>();
        var batch = new List<Entry>();
        lock (_lock)
        {
            if (_waiting.Count == 0)
            {
                _running = false;
                _idle?.TrySetResult();
                return null;
            }

            while (batch.Count < options.MaxBatchSize && _waiting.First is { } first)
            {
                _waiting.RemoveFirst();
                (first.Value.Limit.HasPassed ? expired : batch).Add(first.Value);
            }
        }

        foreach (var entry in expired)
        {
            metrics.Shed();
            entry.Result.TrySetException(new InferenceException(InferenceError.DeadlinePassed()));
        }

        return batch;
    }

    private async Task ComputeAsync(List<Entry> batch)
    {
        metrics.Began(batch.Count);
        foreach (var entry in batch)
        {
            metrics.Waited(time.GetElapsedTime(entry.Arrived));
        }

        try
        {
            var results = await compute(batch.ConvertAll(static entry => entry.Item));
            if (results.Count != batch.Count)
            {
                throw new InvalidOperationException($"The engine gave {results.Count} results for a batch of {batch.Count}.");
            }

            for (var i = 0; i < batch.Count; i++)
            {
                batch[i].Result.TrySetResult(results[i]);
            }
        }
        catch (Exception e)
        {
            // Whatever it is, it is the business of those who wait for this batch; the pump must go on for the others.
            foreach (var entry in batch)
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

        public TaskCompletionSource<TResult> Result { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
