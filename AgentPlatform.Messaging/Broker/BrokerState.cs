namespace AgentPlatform.Messaging.Broker;

/// <summary>Whether the broker is there and takes messages.</summary>
/// <remarks>Safe for concurrent use. Set by whoever keeps the connection.</remarks>
public sealed class BrokerState(TimeProvider time)
{
    private static readonly TimeSpan _firstConnection = TimeSpan.FromSeconds(5);

    private readonly TaskCompletionSource _known = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile bool _isOpen;
    private volatile bool _isBlocked;
    private long _openedAt;

    /// <summary>Whether the broker takes no messages for now, since it is short of memory or disk space.</summary>
    public bool IsBlocked
    {
        get => _isBlocked;
        set => _isBlocked = value;
    }

    /// <summary>Whether it is connected and everything on the connection works.</summary>
    public bool IsOpen
    {
        get => _isOpen;
        set
        {
            if (value && !_isOpen)
            {
                Volatile.Write(ref _openedAt, time.GetTimestamp());
            }

            _isOpen = value;
            _known.TrySetResult();
        }
    }

    /// <summary>Timestamp of the moment since which it is connected, or was connected last.</summary>
    public long OpenedAt => Volatile.Read(ref _openedAt);

    /// <summary>
    /// Whether it is connected; but where a program has just started the first attempt to connect is waited for, a few seconds at most.
    /// </summary>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled.</exception>
    public async ValueTask<bool> WaitOpenAsync(CancellationToken cancellationToken)
    {
        if (!IsOpen && !_known.Task.IsCompleted)
        {
            await _known.Task.WaitAsync(_firstConnection, time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            cancellationToken.ThrowIfCancellationRequested();
        }

        return IsOpen;
    }
}
