namespace AgentPlatform.Messaging.RabbitMQ;

/// <summary>
/// What a publisher has given to the broker and the broker has not confirmed: bounded by bytes, and watched for progress. A confirm is
/// progress; how long the next one may take depends on how much is under way, so that large messages on a slow disk or network do not
/// pass for a broker that hangs, and a broker that hangs is noticed soon while messages are small.
/// </summary>
/// <remarks>Room is asked for and entered by one caller at a time; everything else is safe for concurrent use.</remarks>
internal sealed class PublishWindow(TimeSpan confirmTimeout, TimeProvider time)
{
    /// <summary>Bytes under way beyond which the next message waits. One message alone may be larger.</summary>
    public const long MaxBytes = 8 * 1024 * 1024;

    /// <summary>Slower than so many bytes a second no broker is that works.</summary>
    public const double LeastRate = 1024 * 1024;

    private readonly Lock _lock = new();
    private TaskCompletionSource? _room;
    private int _messages;
    private long _bytes;
    private long _lastProgress = time.GetTimestamp();

    /// <summary>Whether nothing was confirmed for longer than a working broker takes.</summary>
    public bool IsHung
    {
        get
        {
            lock (_lock)
            {
                return _messages > 0 && time.GetElapsedTime(_lastProgress) > confirmTimeout + TimeSpan.FromSeconds(_bytes / LeastRate);
            }
        }
    }

    /// <summary>Waits until there is room for a message.</summary>
    public async ValueTask WaitForRoomAsync(int bytes)
    {
        while (!HasRoom(bytes, out var changed))
        {
            await changed;
        }
    }

    /// <summary>A message is given to the broker now.</summary>
    public void Enter(int bytes)
    {
        lock (_lock)
        {
            if (_messages++ == 0)
            {
                _lastProgress = time.GetTimestamp();
            }

            _bytes += bytes;
        }
    }

    /// <summary>The broker has answered, or never will: gives the room back.</summary>
    public void Leave(int bytes)
    {
        TaskCompletionSource? room;
        lock (_lock)
        {
            _messages--;
            _bytes -= bytes;
            _lastProgress = time.GetTimestamp();
            (room, _room) = (_room, null);
        }

        room?.TrySetResult();
    }

    /// <summary>The silence until now does not count.</summary>
    public void Excuse()
    {
        lock (_lock)
        {
            _lastProgress = time.GetTimestamp();
        }
    }

    private bool HasRoom(int bytes, out Task changed)
    {
        lock (_lock)
        {
            if (_messages == 0 || _bytes + bytes <= MaxBytes)
            {
                changed = Task.CompletedTask;
                return true;
            }

            _room ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            changed = _room.Task;
            return false;
        }
    }
}
