using AgentPlatform.Inference;

namespace AgentPlatform.Client.Transports.Http;

/// <summary>
/// Collects requests for a short while, from the first one on, and sends them to the agent together. The window closes early when
/// the batch is full; while a batch is under way the next one is collected.
/// </summary>
/// <remarks>Safe for concurrent use.</remarks>
internal sealed class BatchWindow(AgentClient agent, TimeSpan window, int maxBatchSize, TimeProvider time)
{
    private readonly Lock _lock = new();
    private Batch? _open;

    private AgentClient Agent => agent;

    private TimeSpan Window => window;

    private TimeProvider Time => time;

    /// <summary>Sends the request with others; its answer's payload as <see cref="AgentClient.SendAsync"/> gives it.</summary>
    /// <exception cref="InferenceException">This request failed, or the whole batch.</exception>
    public async Task<byte[]> SendAsync(InferenceRequest request, CancellationToken cancellationToken)
    {
        var item = new Item(request);
        Batch? full = null;
        Batch batch;
        lock (_lock)
        {
            batch = _open ??= new Batch(this);
            batch.Items.Add(item);
            if (batch.Items.Count >= maxBatchSize)
            {
                (full, _open) = (batch, null);
            }
        }

        full?.Close();
        try
        {
            return await item.Answer.Task.WaitAsync(cancellationToken);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            batch.Leave(item);
            throw;
        }
    }

    private void CloseIfOpen(Batch batch)
    {
        lock (_lock)
        {
            if (_open == batch)
            {
                _open = null;
            }
        }

        batch.Close();
    }

    private sealed class Item(InferenceRequest request)
    {
        public InferenceRequest Request => request;

        public TaskCompletionSource<byte[]> Answer { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public bool HasLeft { get; set; }
    }

#pragma warning disable CA1001 // The source has neither timer nor wait handle to release, and the last to leave may still cancel it.
    private sealed class Batch
#pragma warning restore CA1001
    {
        private readonly CancellationTokenSource _abandoned = new();
        private readonly Lock _lock = new();
        private readonly BatchWindow _owner;
        private readonly ITimer _timer;
        private int _closed;

        public Batch(BatchWindow owner)
        {
            _owner = owner;
            _timer = owner.Time.CreateTimer(static batch => ((Batch)batch!)._owner.CloseIfOpen((Batch)batch), this, owner.Window, Timeout.InfiniteTimeSpan);
        }

        /// <summary>Guarded by the owner's lock until the batch is closed, and fixed then.</summary>
        public List<Item> Items { get; } = [];

        public void Close()
        {
            if (Interlocked.Exchange(ref _closed, 1) == 0)
            {
                _timer.Dispose();
                _ = SendAsync();
            }
        }

        /// <summary>Nobody waits for this item; when nobody waits for any, the agent need not go on.</summary>
        public void Leave(Item item)
        {
            bool nobody;
            lock (_lock)
            {
                item.HasLeft = true;
                nobody = Volatile.Read(ref _closed) == 1 && Items.TrueForAll(other => other.HasLeft);
            }

            if (nobody)
            {
                _abandoned.Cancel();
            }
        }

        private async Task SendAsync()
        {
            List<Item> items;
            lock (_lock)
            {
                items = Items.FindAll(item => !item.HasLeft);
            }

            if (items.Count == 0)
            {
                return;
            }

            try
            {
                var answers = await _owner.Agent.SendBatchAsync([.. items.Select(item => item.Request)], _abandoned.Token);
                for (var i = 0; i < items.Count; i++)
                {
                    Settle(items[i], answers[i]);
                }
            }
            catch (InferenceException e)
            {
                items.ForEach(item => item.Answer.TrySetException(new InferenceException(e.Error, e)));
            }
            catch (OperationCanceledException)
            {
                items.ForEach(item => item.Answer.TrySetCanceled());
            }
            catch (Exception e)
            {
                // Nobody awaits this method: whatever it is, those who wait for their answers have to hear of it.
                items.ForEach(item => item.Answer.TrySetException(e));
            }
        }

        private void Settle(Item item, ReadOnlyMemory<byte> answer)
        {
            try
            {
                item.Answer.TrySetResult(_owner.Agent.ResultOf(item.Request, answer));
            }
            catch (Exception e)
            {
                item.Answer.TrySetException(e); // Its own failure, whatever it is; the others have their answers.
            }
        }
    }
}
