using System.Buffers;

namespace AgentPlatform.Api.Requests;

/// <summary>A request's body in memory, and its share of what <see cref="RequestBodies"/> may hold until it is disposed of.</summary>
internal sealed class RequestBody(RequestBodies bodies) : IDisposable
{
    private byte[] _buffer = [];
    private int _taken;

    /// <summary>How many bytes there are.</summary>
    public int Length { get; private set; }

    /// <summary>The body; stays valid after this object is disposed of, which only ends the accounting.</summary>
    public ReadOnlyMemory<byte> Bytes => _buffer.AsMemory(0, Length);

    /// <summary>Makes room for <paramref name="capacity"/> bytes.</summary>
    internal void Reserve(int capacity)
    {
        if (capacity > _buffer.Length)
        {
            bodies.Take(capacity - _buffer.Length);
            _taken += capacity - _buffer.Length;
            Array.Resize(ref _buffer, capacity);
        }
    }

    /// <summary>Copies what was read behind what there is.</summary>
    internal void Append(in ReadOnlySequence<byte> bytes, int maxSize)
    {
        var length = Length + (int)bytes.Length;
        if (length > _buffer.Length)
        {
            Reserve((int)Math.Min(maxSize, Math.Max(length, _buffer.Length * 2L)));
        }

        bytes.CopyTo(_buffer.AsSpan(Length));
        Length = length;
    }

    /// <inheritdoc/>
    public void Dispose() => bodies.Give(Interlocked.Exchange(ref _taken, 0));
}
