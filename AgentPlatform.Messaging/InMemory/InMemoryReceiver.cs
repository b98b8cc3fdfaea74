using AgentPlatform.Messaging.Broker;

namespace AgentPlatform.Messaging.InMemory;

/// <summary>Takes jobs from a queue and the lane beside it, at most <see cref="JobSource.Prefetch"/> of each at a time.</summary>
/// <remarks>Safe for concurrent use. Disposing of it is the end of its connection: what it holds goes to others.</remarks>
internal sealed class InMemoryReceiver(InMemoryBroker broker, JobSource source, IJobHandler handler) : IJobReceiver, IDisposable
{
    private const int MostDeliveries = 20;

    private readonly Lock _lock = new();
    private readonly CancellationTokenSource _lost = new();
    private readonly HashSet<Held> _held = [];
    private readonly string[] _queues = [QueueNames.Resume(source.Queue), source.Queue];

    /// <inheritdoc/>
    public bool IsAttached { get; private set; }

    /// <inheritdoc/>
    public Task AttachAsync(CancellationToken cancellationToken) => SetAttached(true);

    /// <inheritdoc/>
    public Task DetachAsync(CancellationToken cancellationToken) => SetAttached(false);

    /// <inheritdoc/>
    public Task ReconnectAsync() => Task.CompletedTask; // There is no connection that could have gone deaf.

    /// <inheritdoc/>
    public void Dispose()
    {
        SetAttached(false);
        _lost.Cancel();
        List<Held> held;
        lock (_lock)
        {
            held = [.. _held];
        }

        held.ForEach(static one => one.ReturnAsync());

        _lost.Dispose();
    }

    private Task SetAttached(bool isAttached)
    {
        lock (_lock)
        {
            if (IsAttached != isAttached)
            {
                IsAttached = isAttached;
                foreach (var queue in _queues)
                {
                    broker[queue].Filled -= TakeSoon;
                    broker[queue].Filled += isAttached ? TakeSoon : null;
                }
            }
        }

        TakeSoon();
        return Task.CompletedTask;
    }

    // Not where it is called: a sender is not to wait for what a receiver does with its message.
    private void TakeSoon() => ThreadPool.UnsafeQueueUserWorkItem(static receiver => receiver.TakeAll(), this, preferLocal: false);

    private void TakeAll()
    {
        foreach (var queue in _queues)
        {
            while (TakeOne(queue) is { } held)
            {
                _ = handler.HandleAsync(held.Content, held, held.IsRedelivered, held.Lost);
            }
        }
    }

    private Held? TakeOne(string queue)
    {
        lock (_lock)
        {
            if (!IsAttached || _held.Count(held => held.Queue == queue) >= source.Prefetch || broker[queue].Take() is not { } message)
            {
                return null;
            }

            var held = new Held(this, queue, message, _lost.Token);
            _held.Add(held);
            return held;
        }
    }

    private sealed class Held(InMemoryReceiver owner, string queue, InMemoryMessage message, CancellationToken lost) : ISettlement
    {
        public string Queue => queue;

        public CancellationToken Lost => lost;

        public BrokerMessage Content => message.Content;

        public bool IsRedelivered { get; } = message.Deliveries > 1;

        public Task AcknowledgeAsync() => Settle(static () => { });

        public Task ReturnAsync() => Settle(() =>
        {
            if (message.Deliveries >= MostDeliveries)
            {
                owner.GiveUp(this, "delivery_limit");
            }
            else
            {
                owner.Return(this, message);
            }
        });

        public Task RejectAsync() => Settle(() => owner.GiveUp(this, "rejected"));

        private Task Settle(Action settle)
        {
            if (owner.Forget(this))
            {
                settle();
                owner.TakeSoon();
            }

            return Task.CompletedTask;
        }
    }

    private bool Forget(Held held)
    {
        lock (_lock)
        {
            return _held.Remove(held);
        }
    }

    private void Return(Held held, InMemoryMessage message) => broker[held.Queue].Return(message);

    private void GiveUp(Held held, string reason) => broker.GiveUp(held.Content, held.Queue, reason);
}
