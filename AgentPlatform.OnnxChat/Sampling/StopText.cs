namespace AgentPlatform.OnnxChat.Sampling;

/// <summary>
/// Ends an answer's text before the first of its stop strings, which may begin and end inside of tokens. Text that may be the
/// beginning of one is held back until it is clear what it is.
/// </summary>
/// <remarks>One caller at a time.</remarks>
internal sealed class StopText(IReadOnlyList<string> stops)
{
    private string _held = "";

    /// <summary>Whether a stop string has come; text after it is discarded.</summary>
    public bool IsStopped { get; private set; }

    /// <summary>Adds to the text; gives what can be sent.</summary>
    public string Add(ReadOnlySpan<char> text)
    {
        if (IsStopped || text.IsEmpty)
        {
            return "";
        }

        if (stops.Count == 0)
        {
            return text.ToString();
        }

        var all = string.Concat(_held, text);
        var end = Find(all);
        IsStopped = end >= 0;
        end = IsStopped ? end : all.Length - Undecided(all);
        _held = IsStopped ? "" : all[end..];
        return all[..end];
    }

    /// <summary>What was held back, when no more text comes.</summary>
    public string End() => _held;

    private int Find(string text)
    {
        var first = -1;
        foreach (var stop in stops)
        {
            var at = text.IndexOf(stop, StringComparison.Ordinal);
            first = at >= 0 && (first < 0 || at < first) ? at : first;
        }

        return first;
    }

    /// <summary>Length of the longest end of the text that a stop string begins with.</summary>
    private int Undecided(string text)
    {
        var longest = 0;
        foreach (var stop in stops)
        {
            for (var length = Math.Min(stop.Length - 1, text.Length); length > longest; length--)
            {
                if (text.AsSpan(text.Length - length).SequenceEqual(stop.AsSpan(0, length)))
                {
                    longest = length;
                }
            }
        }

        return longest;
    }
}
