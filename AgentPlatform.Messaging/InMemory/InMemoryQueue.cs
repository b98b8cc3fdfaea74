using AgentPlatform.Messaging.Broker;

namespace AgentPlatform.Messaging.InMemory;

/// <summary>A message in a queue, or with somebody.</summary>
internal sealed class InMemoryMessage(BrokerMessage content, long since)
{
    public BrokerMessage Content => content;

    public long Since => since;

    public int Deliveries { get; set; }
}

/// <summary>
/// A queue: first in, first out; what is given back comes first again. What has expired is dropped when it comes to the front.
/// </summary>
/// <remarks>Safe for concurrent use.</remarks>
internal sealed class InMemoryQueue(TimeProvider time, int maxLength)
{
    private readonly Lock _lock = new();
    private readonly LinkedList<InMemoryMessage> _waiting = new();

    /// <summary>There may be something to take.</summary>
    public event Action? Filled;

    public QueueState State => new(Exists: true, (uint)_waiting.Count, (uint)(Filled?.GetInvocationList().Length ?? 0));

    /// <summary>Adds a copy of a message, as it would be after its way over a wire; false if the queue is full.</summary>
    public bool TryAdd(BrokerMessage message)
    {
        lock (_lock)
        {
            if (_waiting.Count >= maxLength)
            {
                return false;
            }

            _waiting.AddLast(new InMemoryMessage(message with
            {
                Body = message.Body.ToArray(),
                Headers = message.Headers.ToDictionary(static header => header.Key, static header => header.Value is int number
                    ? (long)number
                    : header.Value),
            }, time.GetTimestamp()));
        }

        Filled?.Invoke();
        return true;
    }

    /// <summary>Takes the first message; null if there is none.</summary>
    public InMemoryMessage? Take()
    {
        lock (_lock)
        {
            while (_waiting.First is { Value: var first })
            {
                _waiting.RemoveFirst();
                if (first.Content.Expiration is not { } after || time.GetElapsedTime(first.Since) < after)
                {
                    first.Deliveries++;
                    return first;
                }
            }

            return null;
        }
    }

    public void Return(InMemoryMessage message)
    {
        lock (_lock)
        {
            _waiting.AddFirst(message);
        }

        Filled?.Invoke();
    }
}
