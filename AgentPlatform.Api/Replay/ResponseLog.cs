using Microsoft.AspNetCore.Http;

namespace AgentPlatform.Api.Replay;

/// <summary>What a reader finds at its place in a <see cref="ResponseLog"/>.</summary>
internal enum LogState
{
    /// <summary>Bytes.</summary>
    Bytes,

    /// <summary>Nothing yet.</summary>
    Silent,

    /// <summary>The end of the response.</summary>
    End,

    /// <summary>The end of a response that failed after it had begun: its readers must not take it for complete.</summary>
    Truncated,
}

/// <summary>A reader's place in a <see cref="ResponseLog"/>.</summary>
internal struct LogPlace
{
    public int Block;
    public int Offset;
}

/// <summary>
/// The status, the headers and the bytes of one response: written once, read by any number of readers, each from where it wants and as
/// fast as it can. Nobody waits for a reader.
/// </summary>
/// <param name="reserve">Is told of each block of memory before the log grows by it.</param>
/// <remarks>One writer; safe for concurrent readers.</remarks>
internal sealed class ResponseLog(Action<int> reserve)
{
    private const int SmallestBlock = 4 * 1024;
    private const int LargestBlock = 64 * 1024;

    private readonly Lock _lock = new();
    private readonly List<Block> _blocks = [];
    private readonly List<int> _eventEnds = [];
    private readonly TaskCompletionSource _started = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private TaskCompletionSource? _changed;
    private int _written;
    private bool _isAfterBreak;
    private bool _isComplete;
    private bool _isTruncated;

    /// <summary>Bytes that readers can see.</summary>
    public int Length { get; private set; }

    /// <summary>Status code, known once the response has <see cref="Started"/>.</summary>
    public int Status { get; private set; }

    /// <summary>Headers, known once the response has <see cref="Started"/>.</summary>
    public IHeaderDictionary Headers { get; private set; } = new HeaderDictionary();

    /// <summary>Ends when status and headers are known.</summary>
    public Task Started => _started.Task;

    /// <summary>Fixes status and headers.</summary>
    public void Start(int status, IHeaderDictionary headers)
    {
        (Status, Headers) = (status, headers);
        _started.TrySetResult();
    }

    /// <summary>Memory to write to, at least <paramref name="size"/> bytes and never none; see <see cref="Advance"/>.</summary>
    public Memory<byte> GetMemory(int size)
    {
        if (_blocks is not [.., var last] || last.Bytes.Length - last.Used < Math.Max(size, 1))
        {
            last = new Block(_written, new byte[Math.Max(size, Math.Clamp(_written, SmallestBlock, LargestBlock))]);
            reserve(last.Bytes.Length);
            lock (_lock)
            {
                _blocks.Add(last);
            }
        }

        return last.Bytes.AsMemory(last.Used);
    }

    /// <summary>So many bytes were written to the memory.</summary>
    public void Advance(int bytes)
    {
        var last = _blocks[^1];
        FindEvents(last.Bytes.AsSpan(last.Used, bytes));
        lock (_lock)
        {
            last.Used += bytes;
        }

        _written += bytes;
    }

    /// <summary>Shows readers what was written.</summary>
    public void Publish() => Change(() => Length = _written);

    /// <summary>Ends the response.</summary>
    /// <param name="isTruncated">Whether it failed after it had begun.</param>
    public void Complete(bool isTruncated) => Change(() => (Length, _isComplete, _isTruncated) = (_written, true, isTruncated));

    /// <summary>The place after the server-sent event of that number, counted from 0; null if no reader could have seen it yet.</summary>
    public LogPlace? After(int number)
    {
        lock (_lock)
        {
            if (number < 0 || number >= _eventEnds.Count || _eventEnds[number] > Length)
            {
                return null;
            }

            var end = _eventEnds[number];
            var block = _blocks.FindLastIndex(block => block.Start < end);
            return new LogPlace { Block = block, Offset = end - _blocks[block].Start };
        }
    }

    /// <summary>
    /// Takes the bytes at <paramref name="place"/> and moves it behind them; where there are none yet, <paramref name="more"/> ends when
    /// that changes.
    /// </summary>
    public LogState Read(ref LogPlace place, out ReadOnlyMemory<byte> bytes, out Task more)
    {
        (bytes, more) = (default, Task.CompletedTask);
        lock (_lock)
        {
            while (place.Block < _blocks.Count)
            {
                var block = _blocks[place.Block];
                var available = Math.Min(block.Used, Length - block.Start) - place.Offset;
                if (available > 0)
                {
                    bytes = block.Bytes.AsMemory(place.Offset, available);
                    place.Offset += available;
                    return LogState.Bytes;
                }

                // What is left of this block may not be for readers yet, though there is another one.
                if (place.Offset < block.Used || place.Block == _blocks.Count - 1)
                {
                    break;
                }

                place = new LogPlace { Block = place.Block + 1 };
            }

            if (_isComplete)
            {
                return _isTruncated ? LogState.Truncated : LogState.End;
            }

            _changed ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            more = _changed.Task;
            return LogState.Silent;
        }
    }

    private void Change(Action change)
    {
        TaskCompletionSource? changed;
        lock (_lock)
        {
            change();
            (changed, _changed) = (_changed, null);
        }

        changed?.SetResult();
    }

    // An event ends with an empty line. Comments and lone line breaks do not occur: heartbeats are the readers' own.
    private void FindEvents(ReadOnlySpan<byte> bytes)
    {
        var position = _written;
        lock (_lock)
        {
            while (!bytes.IsEmpty)
            {
                var at = bytes.IndexOf((byte)'\n');
                if (at < 0)
                {
                    _isAfterBreak = false;
                    return;
                }

                _isAfterBreak &= at == 0;
                position += at + 1;
                bytes = bytes[(at + 1)..];
                if (_isAfterBreak)
                {
                    _eventEnds.Add(position);
                }

                _isAfterBreak = !_isAfterBreak;
            }
        }
    }

    private sealed class Block(int start, byte[] bytes)
    {
        public int Start => start;

        public byte[] Bytes => bytes;

        public int Used { get; set; }
    }
}
