namespace AgentPlatform.OnnxChat.Sampling;

/// <summary>
/// Gives tokens from the highest logit on, as many as are asked for: a heap, since of a
/// large vocabulary only some are ever wanted. Of equal logits the lower token comes first.
/// </summary>
internal ref struct LikeliestFirst
{
    private readonly ReadOnlySpan<float> _logits;
    private readonly Span<int> _heap;
    private int _count;

    /// <param name="logits">One for each token; NaN is below all.</param>
    /// <param name="room">As long.</param>
    public LikeliestFirst(ReadOnlySpan<float> logits, Span<int> room)
    {
        _logits = logits;
        _heap = room;
        _count = logits.Length;
        for (var token = 0; token < _count; token++)
        {
            _heap[token] = token;
        }

        for (var at = (_count / 2) - 1; at >= 0; at--)
        {
            Sink(at);
        }
    }

    /// <summary>The next token; false when all were given.</summary>
    public bool TryTake(out int token)
    {
        token = _count > 0 ? _heap[0] : -1;
        if (_count == 0)
        {
            return false;
        }

        _heap[0] = _heap[--_count];
        Sink(0);
        return true;
    }

    private readonly void Sink(int at)
    {
        while (true)
        {
            var (best, left) = (at, (2 * at) + 1);
            best = left < _count && IsBefore(_heap[left], _heap[best]) ? left : best;
            best = left + 1 < _count && IsBefore(_heap[left + 1], _heap[best]) ? left + 1 : best;
            if (best == at)
            {
                return;
            }

            (_heap[at], _heap[best]) = (_heap[best], _heap[at]);
            at = best;
        }
    }

    private readonly bool IsBefore(int left, int right)
    {
        var (a, b) = (_logits[left], _logits[right]);
        return a > b || (a == b ? left < right : float.IsNaN(b) && (!float.IsNaN(a) || left < right));
    }
}
