using System.Text;

namespace AgentPlatform.OnnxChat.Tokens;

/// <summary>
/// Makes the tokens of one text, piece by piece, and stops when they are too many. A piece of n
/// bytes takes n log n steps, however long it is: the pairs that can be joined wait in a heap.
/// </summary>
/// <remarks>One caller at a time.</remarks>
/// <param name="pairs">What is joined.</param>
/// <param name="most">Most tokens that are wanted.</param>
/// <param name="cancellationToken">Ends it inside of a piece, too.</param>
internal sealed class PieceEncoder(BytePairs pairs, int most, CancellationToken cancellationToken)
{
    private const int StepsPerLook = 4096;

    // By rank, and of equals the leftmost: a heap of rank << 32 | place.
    private readonly PriorityQueue<int, long> _joins = new();
    private byte[] _bytes = new byte[64];
    private int[] _tokens = new int[64];
    private int[] _previous = new int[64];
    private int[] _next = new int[64];

    /// <summary>How many pairs were looked at, which is the work that was done.</summary>
    public int Steps { get; private set; }

    /// <summary>What there is; when there are more than wanted, not all of them.</summary>
    public List<int> Tokens { get; } = [];

    /// <summary>Whether there are more than wanted.</summary>
    public bool IsFull { get; private set; }

    /// <summary>Adds a token that stands for no text.</summary>
    public void AddMark(int token)
    {
        Tokens.Add(token);
        IsFull |= Tokens.Count > most;
    }

    /// <summary>Adds the tokens of a piece; false if there are more than wanted now.</summary>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public bool Add(ReadOnlySpan<char> piece)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var size = Encoding.UTF8.GetByteCount(piece);
        if (_bytes.Length < size)
        {
            _bytes = new byte[size * 2];
        }

        var bytes = _bytes.AsSpan(0, Encoding.UTF8.GetBytes(piece, _bytes));
        var left = most - Tokens.Count;
        if (bytes.Length > left && pairs.LeastTokens(bytes, left) > left)
        {
            IsFull = true;
            return false;
        }

        Join(Fill(bytes));
        IsFull |= Tokens.Count > most;
        return !IsFull;
    }

    /// <summary>Makes a list of the bytes' tokens, each linked to its neighbours, and of the pairs that can be joined.</summary>
    private int Fill(ReadOnlySpan<byte> bytes)
    {
        if (_tokens.Length < bytes.Length)
        {
            (_tokens, _previous, _next) = (new int[bytes.Length], new int[bytes.Length], new int[bytes.Length]);
        }

        var count = 0;
        foreach (var value in bytes)
        {
            if (pairs.TokenOf(value) is >= 0 and var token)
            {
                (_tokens[count], _previous[count], _next[count]) = (token, count - 1, count + 1);
                count++;
            }
        }

        for (var place = 0; place + 1 < count; place++)
        {
            Look();
            Propose(place, count);
        }

        return count;
    }

    private void Join(int count)
    {
        while (_joins.TryDequeue(out var place, out var order))
        {
            Look();
            var next = _next[place];

            // It may be out of date: one of the two was joined to its other neighbour meanwhile.
            if (_tokens[place] < 0 || next >= count || !pairs.TryMerge(_tokens[place], _tokens[next], out var merge)
                || merge.Rank != order >> 32)
            {
                continue;
            }

            (_tokens[place], _tokens[next], _next[place]) = (merge.Token, -1, _next[next]);
            if (_next[place] < count)
            {
                _previous[_next[place]] = place;
                Propose(place, count);
            }

            if (_previous[place] >= 0)
            {
                Propose(_previous[place], count);
            }
        }

        for (var place = 0; place < count; place = _next[place])
        {
            Tokens.Add(_tokens[place]);
        }
    }

    private void Propose(int place, int count)
    {
        if (_next[place] < count && pairs.TryMerge(_tokens[place], _tokens[_next[place]], out var merge))
        {
            _joins.Enqueue(place, ((long)merge.Rank << 32) | (uint)place);
        }
    }

    private void Look()
    {
        if (++Steps % StepsPerLook == 0)
        {
            cancellationToken.ThrowIfCancellationRequested();
        }
    }
}
