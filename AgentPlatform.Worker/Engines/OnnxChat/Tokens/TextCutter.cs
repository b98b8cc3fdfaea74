using System.Text.RegularExpressions;
using Microsoft.ML.Tokenizers;

namespace AgentPlatform.Worker.Engines.OnnxChat.Tokens;

/// <summary>
/// Cuts a text into the pieces inside of which tokens are made, by one regular expression after another: each cuts the pieces of the one
/// before it, and what lies between its matches is a piece too.
/// </summary>
/// <remarks>Safe for concurrent use.</remarks>
internal sealed partial class TextCutter(IReadOnlyList<Regex> patterns) : PreTokenizer
{
    /// <summary>GPT-2's cutting, which the step <c>ByteLevel</c> of a tokenizer.json means.</summary>
    public static Regex ByteLevel => ByteLevelPattern();

    public static Regex Digit => DigitPattern();

    public static Regex Digits => DigitsPattern();

    /// <inheritdoc/>
    public override IEnumerable<(int Offset, int Length)> PreTokenize(string text)
    {
        List<(int Offset, int Length)> pieces = [(0, text.Length)];
        foreach (var pattern in patterns)
        {
            List<(int Offset, int Length)> cut = new(pieces.Count * 2);
            foreach (var piece in pieces)
            {
                Cut(pattern, text.AsSpan(piece.Offset, piece.Length), piece.Offset, cut);
            }

            pieces = cut;
        }

        return pieces;
    }

    /// <inheritdoc/>
    public override IEnumerable<(int Offset, int Length)> PreTokenize(ReadOnlySpan<char> text) => PreTokenize(text.ToString());

    private static void Cut(Regex pattern, ReadOnlySpan<char> piece, int offset, List<(int Offset, int Length)> pieces)
    {
        var end = 0;
        foreach (var match in pattern.EnumerateMatches(piece))
        {
            if (match.Index > end)
            {
                pieces.Add((offset + end, match.Index - end));
            }

            if (match.Length > 0)
            {
                pieces.Add((offset + match.Index, match.Length));
            }

            end = match.Index + match.Length;
        }

        if (end < piece.Length)
        {
            pieces.Add((offset + end, piece.Length - end));
        }
    }

    [GeneratedRegex(@"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+", RegexOptions.CultureInvariant)]
    private static partial Regex ByteLevelPattern();

    [GeneratedRegex(@"\p{N}", RegexOptions.CultureInvariant)]
    private static partial Regex DigitPattern();

    [GeneratedRegex(@"\p{N}+", RegexOptions.CultureInvariant)]
    private static partial Regex DigitsPattern();
}
