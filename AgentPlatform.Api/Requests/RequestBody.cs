using System.Buffers;

namespace AgentPlatform.Api.Requests;

/// <summary>A request's body in memory, and its share of the <see cref="BodyRoom"/> until it is disposed of.</summary>
internal sealed class RequestBody(BodyRoom room, int maxSize) : IDisposable
{
    private const int SmallestBuffer = 4 * 1024;

    private byte[] _buffer = [];
    private int _start;
    private int _taken;

    /// <summary>How many bytes have arrived.</summary>
    public int Length { get; private set; }

    /// <summary>The body; stays valid after this object is disposed of, which only ends the accounting.</summary>
    public ReadOnlyMemory<byte> Bytes => _buffer.AsMemory(_start, Length - _start);

    /// <summary>Copies what was read behind what there is.</summary>
    /// <param name="bytes">No more than makes <see cref="Length"/> the largest size.</param>
    internal void Append(in ReadOnlySequence<byte> bytes)
    {
        var length = Length + (int)bytes.Length;
        if (length > _buffer.Length)
        {
            var capacity = (int)Math.Min(maxSize, Math.Max(Math.Max(length, SmallestBuffer), _buffer.Length * 2L));
            room.Grow(_taken, capacity);
            _taken = capacity;
            Array.Resize(ref _buffer, capacity);
        }

        bytes.CopyTo(_buffer.AsSpan(Length));
        Length = length;
    }

    /// <summary>
    /// Leaves out the mark that some programs put before UTF-8; JSON has none (RFC 8259, section 8.1), and parsers may ignore it.
    /// </summary>
    internal void SkipByteOrderMark() => _start = Bytes.Span.StartsWith("\uFEFF"u8) ? 3 : 0;

    /// <inheritdoc/>
    public void Dispose() => room.Free(Interlocked.Exchange(ref _taken, 0));
}
