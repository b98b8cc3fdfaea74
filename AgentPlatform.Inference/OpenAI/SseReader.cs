using System.Buffers;
using System.Runtime.CompilerServices;

namespace AgentPlatform.Inference.OpenAI;

/// <summary>
/// Reads the data of server-sent events, however the network cuts them, without allocating per event. The framework's
/// <c>SseParser</c> allocates for each. Comments, ids and retry times are skipped.
/// </summary>
/// <remarks>One caller at a time. https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation</remarks>
public sealed class SseReader(Stream stream) : IDisposable
{
    private const int MaxEventSize = 16 * 1024 * 1024;

    private readonly ArrayBufferWriter<byte> _data = new(1024);
    private byte[] _buffer = ArrayPool<byte>.Shared.Rent(8 * 1024);
    private int _start;
    private int _end;
    private bool _skipLineFeed;
    private bool _hasData;
    private bool _hasReadLine;

    /// <summary>The event's data; valid until the next read.</summary>
    public ReadOnlyMemory<byte> Data => _data.WrittenMemory;

    /// <summary>
    /// Goes to the next event with data; false at the stream's end. An event that the end cuts off is dropped, as the specification says.
    /// </summary>
    /// <exception cref="InvalidDataException">An event is too large.</exception>
    /// <exception cref="IOException">The connection broke.</exception>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<bool> ReadAsync(CancellationToken cancellationToken)
    {
        _data.ResetWrittenCount();
        _hasData = false;
        while (true)
        {
            if (TryFinishEvent())
            {
                return true;
            }

            MakeRoom();
            var count = await stream.ReadAsync(_buffer.AsMemory(_end), cancellationToken);
            if (count == 0)
            {
                return false;
            }

            _end += count;
        }
    }

    public void Dispose()
    {
        ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = [];
    }

    private bool TryFinishEvent()
    {
        while (true)
        {
            if (_skipLineFeed && _start < _end)
            {
                _start += _buffer[_start] == '\n' ? 1 : 0;
                _skipLineFeed = false;
            }

            var length = _buffer.AsSpan(_start, _end - _start).IndexOfAny((byte)'\r', (byte)'\n');
            if (length < 0)
            {
                return false;
            }

            var line = _buffer.AsSpan(_start, length);
            _skipLineFeed = _buffer[_start + length] == '\r'; // Its line feed may still be on its way.
            _start += length + 1;
            if (!_hasReadLine)
            {
                _hasReadLine = true;
                line = line.StartsWith("\uFEFF"u8) ? line[3..] : line;
            }

            if (line.IsEmpty && _hasData)
            {
                return true;
            }

            TakeField(line);
        }
    }

    // "data: x" and "data:x" are the same; "data" alone is an empty line of data.
    private void TakeField(ReadOnlySpan<byte> line)
    {
        if (!line.StartsWith("data"u8) || (line.Length > 4 && line[4] != ':'))
        {
            return;
        }

        var value = line.Length > 4 ? line[5..] : default;
        if (_hasData)
        {
            _data.Write("\n"u8);
        }

        _data.Write(value.StartsWith(" "u8) ? value[1..] : value);
        _hasData = true;
        if (_data.WrittenCount > MaxEventSize)
        {
            throw new InvalidDataException("An event is too large.");
        }
    }

    private void MakeRoom()
    {
        if (_start > 0)
        {
            _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
            (_start, _end) = (0, _end - _start);
        }

        if (_end < _buffer.Length)
        {
            return;
        }

        if (_buffer.Length > MaxEventSize)
        {
            throw new InvalidDataException("A line is too large.");
        }

        var larger = ArrayPool<byte>.Shared.Rent(_buffer.Length * 2);
        _buffer.AsSpan(0, _end).CopyTo(larger);
        ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = larger;
    }
}
