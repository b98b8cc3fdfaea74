using System.Buffers;
using System.Buffers.Binary;
using System.Threading.Tasks.Sources;
using AgentPlatform.Inference;

namespace AgentPlatform.Messaging.Asking;

/// <summary>
/// The parts of one answer between the broker's thread and the request's. Allocates nothing per part: parts stand one after another in a
/// buffer, the writer fills one while the reader reads another, and the reader waits on this object itself. (A channel allocates for
/// each wait that can be cancelled, and pooled arrays run out when a message brings a part for each of a thousand streams.)
/// </summary>
/// <remarks>One writer and one reader at a time.</remarks>
internal sealed class PartQueue(int capacity) : IValueTaskSource<bool>, IThreadPoolWorkItem
{
    // kind (u8) | length of the payload (i32, little-endian) | payload
    private const int HeaderSize = 5;
    private const int InitialSize = 512;

    private readonly Lock _lock = new();
    private ManualResetValueTaskSourceCore<bool> _wait;
    private byte[] _filling = [];
    private byte[] _reading = [];
    private int _filled;
    private int _toRead;
    private int _read;
    private int _count;
    private bool _isWaiting;
    private bool _isComplete;
    private Exception? _error;

    /// <summary>Adds a copy of the part; false if the queue is full or complete.</summary>
    public bool TryWrite(ReplyKind kind, ReadOnlySpan<byte> payload)
    {
        lock (_lock)
        {
            if (_isComplete || Volatile.Read(ref _count) >= capacity)
            {
                return false;
            }

            var needed = _filled + HeaderSize + payload.Length;
            if (needed > _filling.Length)
            {
                Grow(needed);
            }

            var target = _filling.AsSpan(_filled);
            target[0] = (byte)kind;
            BinaryPrimitives.WriteInt32LittleEndian(target[1..], payload.Length);
            payload.CopyTo(target[HeaderSize..]);
            _filled = needed;
            Interlocked.Increment(ref _count);
            Wake();
            return true;
        }
    }

    /// <summary>Ends the queue, unless it has ended: the reader gets what is in it and then <paramref name="error"/>, or the end.</summary>
    public void Complete(Exception? error = null)
    {
        lock (_lock)
        {
            if (!_isComplete)
            {
                (_isComplete, _error) = (true, error);
                Wake();
            }
        }
    }

    /// <summary>The next part if there is one; its payload is valid until the next call.</summary>
    public bool TryRead(out ReplyPart part)
    {
        if (_read == _toRead)
        {
            lock (_lock)
            {
                (_filling, _reading) = (_reading, _filling);
                (_toRead, _filled, _read) = (_filled, 0, 0);
            }

            if (_toRead == 0)
            {
                part = default;
                return false;
            }
        }

        var length = BinaryPrimitives.ReadInt32LittleEndian(_reading.AsSpan(_read + 1));
        part = new ReplyPart((ReplyKind)_reading[_read], _reading.AsMemory(_read + HeaderSize, length));
        _read += HeaderSize + length;
        Interlocked.Decrement(ref _count);
        return true;
    }

    /// <summary>Waits until there may be a part; false at the end. Throws what the queue was completed with.</summary>
    public ValueTask<bool> WaitToReadAsync()
    {
        lock (_lock)
        {
            if (_filled > 0)
            {
                return ValueTask.FromResult(true);
            }

            if (_isComplete)
            {
                return _error is null ? ValueTask.FromResult(false) : ValueTask.FromException<bool>(_error);
            }

            _wait.Reset();
            _isWaiting = true;
            return new ValueTask<bool>(this, _wait.Version);
        }
    }

    /// <summary>Nobody reads any more: the queue takes no parts, and its buffers go back to the pool.</summary>
    public void Close()
    {
        lock (_lock)
        {
            _isComplete = true;
            Return(_filling);
            Return(_reading);
            (_filling, _reading, _filled, _toRead, _read) = ([], [], 0, 0, 0);
        }
    }

    // The reader goes on on a thread of the pool, not on the one that reads the broker's connection for everybody.
    void IThreadPoolWorkItem.Execute() => _wait.SetResult(true);

    bool IValueTaskSource<bool>.GetResult(short token) => _wait.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource<bool>.GetStatus(short token) => _wait.GetStatus(token);

    void IValueTaskSource<bool>.OnCompleted(Action<object?> continuation, object? state, short token,
        ValueTaskSourceOnCompletedFlags flags) =>
        _wait.OnCompleted(continuation, state, token, flags);

    private static void Return(byte[] buffer)
    {
        if (buffer.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private void Grow(int needed)
    {
        var larger = ArrayPool<byte>.Shared.Rent(Math.Max(InitialSize, needed));
        _filling.AsSpan(0, _filled).CopyTo(larger);
        Return(_filling);
        _filling = larger;
    }

    private void Wake()
    {
        if (_isWaiting)
        {
            _isWaiting = false;
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
        }
    }
}
