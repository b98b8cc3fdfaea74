using System.Text;

namespace AgentPlatform.OnnxChat.Tokens;

/// <summary>
/// Brings a text into one of Unicode's normalization forms, slice by slice: marks on marks without an end take the square of
/// their number to be put in order, which a slice bounds (https://www.unicode.org/reports/tr15/#Stream_Safe_Text_Format).
/// </summary>
/// <remarks>Safe for concurrent use. Slices end where nothing joins, unless a thousand characters of marks follow each other.</remarks>
internal sealed class TextNormalizer(NormalizationForm form)
{
    /// <summary>To the how-manieth part the bytes of a text can shrink: a mathematical A has four, an A one.</summary>
    public const int MostShrinking = 4;

    private const int Slice = 512;

    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public string Normalize(ReadOnlySpan<char> text, CancellationToken cancellationToken)
    {
        if (Ascii.IsValid(text))
        {
            return text.ToString();
        }

        var output = new StringBuilder(text.Length);
        while (!text.IsEmpty)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var length = LengthOfSlice(text);
            output.Append(text[..length].ToString().Normalize(form));
            text = text[length..];
        }

        return output.ToString();
    }

    private static int LengthOfSlice(ReadOnlySpan<char> text)
    {
        for (var length = Slice; length < Math.Min(text.Length, 2 * Slice); length++)
        {
            if (BeginsAnew(text[length]))
            {
                return length;
            }
        }

        return text.Length <= 2 * Slice ? text.Length : char.IsLowSurrogate(text[2 * Slice]) ? (2 * Slice) - 1 : 2 * Slice;
    }

    // Characters that never join with the one before them: Latin letters,
    // digits and punctuation, kana, Chinese characters, Korean syllables.
    private static bool BeginsAnew(char character) =>
        character is < '\u0300' or (>= '\u3041' and <= '\u3096') or (>= '\u30A1' and <= '\u30FA') or (>= '\u4E00' and <= '\u9FFF')
            or (>= '\uAC00' and <= '\uD7A3');
}
