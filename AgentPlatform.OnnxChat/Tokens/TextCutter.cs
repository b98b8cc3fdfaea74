using System.Text.RegularExpressions;

namespace AgentPlatform.OnnxChat.Tokens;

/// <summary>
/// Cuts a text into the pieces inside of which tokens are made, by one regular expression after another: each cuts the pieces of the one
/// before it, and what lies between its matches is a piece too.
/// </summary>
/// <remarks>Safe for concurrent use.</remarks>
internal sealed partial class TextCutter(IReadOnlyList<Regex> patterns)
{
    /// <summary>Takes a piece; false to be given no more.</summary>
    public delegate bool Take(ReadOnlySpan<char> piece);

    /// <summary>GPT-2's cutting, which the step <c>ByteLevel</c> of a tokenizer.json means.</summary>
    public static Regex ByteLevel => ByteLevelPattern();

    public static Regex Digit => DigitPattern();

    public static Regex Digits => DigitsPattern();

    /// <summary>Gives the pieces one after another, each as soon as it is found; false if <paramref name="take"/> wanted no more.</summary>
    /// <exception cref="RegexMatchTimeoutException">The text keeps one of the model's patterns too busy.</exception>
    public bool Cut(ReadOnlySpan<char> text, Take take) => Cut(text, step: 0, take);

    private bool Cut(ReadOnlySpan<char> text, int step, Take take)
    {
        if (text.IsEmpty)
        {
            return true;
        }

        if (step == patterns.Count)
        {
            return take(text);
        }

        var end = 0;
        foreach (var match in patterns[step].EnumerateMatches(text))
        {
            if (!Cut(text[end..match.Index], step + 1, take) || !Cut(text.Slice(match.Index, match.Length), step + 1, take))
            {
                return false;
            }

            end = match.Index + match.Length;
        }

        return Cut(text[end..], step + 1, take);
    }

    [GeneratedRegex(@"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+", RegexOptions.CultureInvariant)]
    private static partial Regex ByteLevelPattern();

    [GeneratedRegex(@"\p{N}", RegexOptions.CultureInvariant)]
    private static partial Regex DigitPattern();

    [GeneratedRegex(@"\p{N}+", RegexOptions.CultureInvariant)]
    private static partial Regex DigitsPattern();
}
