using System.Globalization;
using System.Text;

namespace AgentPlatform.Worker.Engines.Classifier;

/// <summary>
/// Cuts a comment into lower-case words, emoticons, emoji and the punctuation that carries feeling.
/// </summary>
/// <remarks>
/// <c>"LOVED it sooooo much :) @ann http://x.y 🎉"</c> becomes <c>loved &lt;caps&gt; it soo &lt;long&gt; much :) &lt;user&gt;
/// &lt;url&gt; 🎉</c>. Pure, deterministic, independent of culture; any string is accepted, unpaired surrogates included.
/// </remarks>
internal static class TextWords
{
    private const int LongestWord = 40;

    private static readonly string[] _emoticons =
        [
            ":'(", ":-)", ":-(", ":-D", ";-)", ":-/", ":))", ":((", ":)", ":(", ":D", ";)", ":/", ":P", ":p", ":|", ":]", ":[", "=)", "=(",
            "xD", "XD", "<3", "^^", "-_-"];

    public static List<string> Cut(string text)
    {
        var words = new List<string>();
        var position = 0;
        while (position < text.Length)
        {
            position += TakeLink(text, position, words) is > 0 and var link ? link
                : TakeEmoticon(text, position, words) is > 0 and var emoticon ? emoticon
                : TakeWord(text, position, words) is > 0 and var word ? word
                : TakeSymbol(text, position, words);
        }

        return words;
    }

    private static int TakeLink(string text, int start, List<string> words)
    {
        var rest = text.AsSpan(start);
        var isLink = rest.StartsWith("http://", StringComparison.OrdinalIgnoreCase)
            || rest.StartsWith("https://", StringComparison.OrdinalIgnoreCase)
            || rest.StartsWith("www.", StringComparison.OrdinalIgnoreCase);
        var isUser = rest is ['@', _, ..] && char.IsLetterOrDigit(rest[1]);
        if (!isLink && !isUser)
        {
            return 0;
        }

        words.Add(isLink ? "<url>" : "<user>");
        var length = 1;
        while (length < rest.Length
            && (isLink ? !char.IsWhiteSpace(rest[length]) : char.IsLetterOrDigit(rest[length]) || rest[length] == '_'))
        {
            length++;
        }

        return length;
    }

    private static int TakeEmoticon(string text, int start, List<string> words)
    {
        foreach (var emoticon in _emoticons)
        {
            if (string.CompareOrdinal(text, start, emoticon, 0, emoticon.Length) != 0)
            {
                continue;
            }

            // "xD" inside "exDirector" and ":p" in "3:pm" are no faces.
            var end = start + emoticon.Length;
            var touchesWord = (char.IsLetter(emoticon[0]) && start > 0 && char.IsLetterOrDigit(text[start - 1]))
                || (char.IsLetter(emoticon[^1]) && end < text.Length && char.IsLetterOrDigit(text[end]));
            if (!touchesWord)
            {
                words.Add(emoticon);
                return emoticon.Length;
            }
        }

        return 0;
    }

    private static int TakeWord(string text, int start, List<string> words)
    {
        var end = start;
        while (end < text.Length && (char.IsLetterOrDigit(text[end])
            || (end > start && end + 1 < text.Length && IsInner(text[end]) && char.IsLetterOrDigit(text[end - 1])
                && char.IsLetterOrDigit(text[end + 1]))))
        {
            end++;
        }

        if (end == start)
        {
            return 0;
        }

        var raw = text.AsSpan(start, end - start);
        var (word, stretched) = Shorten(raw);
        words.Add(word);
        if (stretched)
        {
            words.Add("<long>");
        }

        if (raw.Length > 2 && IsShouted(raw))
        {
            words.Add("<caps>");
        }

        return end - start;
    }

    // An apostrophe joins "don't"; a slash only joins marks such as "10/10".
    private static bool IsInner(char character) => character is '\'' or '’' or '/';

    private static bool IsShouted(ReadOnlySpan<char> word)
    {
        foreach (var character in word)
        {
            if (!char.IsUpper(character) && character is not ('\'' or '’'))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>
    /// Lower case, at most two equal letters in a row (three or more are stretched), numbers of three digits and more all alike.
    /// </summary>
    private static (string Word, bool Stretched) Shorten(ReadOnlySpan<char> raw)
    {
        var builder = new StringBuilder(Math.Min(raw.Length, LongestWord));
        var (digits, stretched) = (0, false);
        foreach (var character in raw)
        {
            var lower = character == '’' ? '\'' : char.ToLowerInvariant(character);
            digits += char.IsDigit(lower) ? 1 : 0;
            if (char.IsLetter(lower) && builder.Length >= 2 && builder[^1] == lower && builder[^2] == lower)
            {
                stretched = true;
            }
            else if (builder.Length < LongestWord)
            {
                builder.Append(lower);
            }
        }

        return digits == raw.Length && digits > 2 ? ("<number>", false) : (builder.ToString(), stretched);
    }

    private static int TakeSymbol(string text, int start, List<string> words)
    {
        if (text.AsSpan(start).StartsWith("..") || text[start] == '…')
        {
            words.Add("...");
            var length = 1;
            while (start + length < text.Length && text[start + length] == '.')
            {
                length++;
            }

            return length;
        }

        if (!Rune.TryGetRuneAt(text, start, out var rune))
        {
            return 1;
        }

        if (rune.Value is '!' or '?' or '.' or ',' or ';' or ':' or '"' or '%' or '$'
            || Rune.GetUnicodeCategory(rune) is UnicodeCategory.OtherSymbol)
        {
            words.Add(rune.ToString());
        }

        return rune.Utf16SequenceLength;
    }
}
