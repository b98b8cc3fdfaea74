using System.Text;

namespace AgentPlatform.Worker.Engines.Classifier;

/// <summary>
/// Turns a text into the ids that a text classifier was trained on: hashed words, word stems, pairs of neighbouring words and
/// character n-grams.
/// </summary>
/// <remarks>
/// Words within reach of a negation get other ids than the same words outside of it, and
/// what follows a "but" is given once more with ids of its own, because it usually decides.
/// Deterministic on every machine; the trainer uses this very class. Safe for concurrent use.
/// </remarks>
internal sealed class TextFeatures(TextFeatureOptions options)
{
    /// <summary>The id that fills a batch's shorter rows; no feature has it.</summary>
    public const long Padding = 0;

    // Room for the longest words and what stands between them; a text without spaces has no words to speak of.
    private const int CharactersPerWord = 64;

    private static readonly HashSet<string> _negations =
    [
        "not", "no", "never", "nobody", "nothing", "none", "without", "hardly", "barely", "neither", "nor", "cannot", "ain't", "aint",
        "cant", "dont", "doesnt", "didnt", "isnt", "wasnt", "wont", "wouldnt", "couldnt", "shouldnt", "arent", "werent", "hasnt", "havent",
    ];

    private static readonly HashSet<string> _turns = ["but", "however", "yet", "though", "although", "except", "still"];

    private static readonly string[] _suffixes = [
        "iness", "ingly", "edly", "ness", "ing", "est", "ier", "ies", "ied", "ed", "ly", "er", "es", "s", "y", "e"];

    /// <summary>
    /// The ids of <paramref name="text"/>, in the order of its words; never empty, since the length of the text is one of them.
    /// </summary>
    public long[] Encode(string text)
    {
        var words = TextWords.Cut(Ends(text));
        if (words.Count > options.MaxWords)
        {
            words.RemoveRange(options.MaxWords / 2, words.Count - options.MaxWords);
        }

        var turn = words.FindLastIndex(_turns.Contains);
        var ids = new List<long>(words.Count * 6) { Id('l', LengthName(words.Count)) };
        var (negatedLeft, previous) = (0, "<start>");
        for (var index = 0; index < words.Count; index++)
        {
            var word = words[index];
            var negated = negatedLeft > 0;
            AddWord(ids, word, negated, afterTurn: turn > 0 && index > turn);
            ids.Add(PairId(previous, word));
            previous = word;

            negatedLeft = _negations.Contains(word) || word.EndsWith("n't", StringComparison.Ordinal) ? options.NegationScope
                : word is "." or "," or ";" or ":" or "!" or "?" or "..." || _turns.Contains(word) ? 0
                : Math.Max(0, negatedLeft - 1);
        }

        ids.Add(PairId(previous, "<end>"));
        return [.. ids];
    }

    /// <summary>The beginning and the end of a text that is so long that nothing between them could count.</summary>
    private string Ends(string text)
    {
        var length = options.MaxWords * CharactersPerWord;
        if (text.Length <= 2 * length)
        {
            return text;
        }

        // From a word's beginning on, that the words are those of the whole text.
        var end = text.AsSpan(text.Length - length);
        var space = end.IndexOfAny(' ', '\n', '\t');
        return string.Concat(text.AsSpan(0, length), " ", end[(space + 1)..]);
    }

    /// <summary>The ids that stand for <paramref name="word"/> itself: whole and as a stem.</summary>
    public IEnumerable<long> WordIds(string word, bool negated)
    {
        yield return Id(negated ? 'n' : 'w', word);
        if (Stem(word) is { } stem)
        {
            yield return Id(negated ? 'N' : 's', stem);
        }
    }

    /// <summary>The id that stands for two neighbouring words.</summary>
    public long PairId(string first, string second) => Id('p', first + " " + second);

    /// <summary>The id that stands for <paramref name="word"/> in what follows a "but".</summary>
    public long TurnedId(string word, bool negated) => Id(negated ? 'B' : 'b', Stem(word) ?? word);

    private void AddWord(List<long> ids, string word, bool negated, bool afterTurn)
    {
        ids.AddRange(WordIds(word, negated));
        if (afterTurn)
        {
            ids.Add(TurnedId(word, negated));
        }

        if (options.CharacterGram > 0 && char.IsLetter(word[0]) && word.Length > options.CharacterGram)
        {
            for (var start = 0; start + options.CharacterGram <= word.Length; start++)
            {
                ids.Add(Id(negated ? 'C' : 'c', word.AsSpan(start, options.CharacterGram)));
            }
        }
    }

    /// <summary>A word without its ending; null for words that are too short to have one, and for tokens that are not words.</summary>
    private static string? Stem(string word)
    {
        if (word.Length < 4 || !char.IsLetter(word[0]))
        {
            return null;
        }

        foreach (var suffix in _suffixes)
        {
            if (word.Length - suffix.Length >= 3 && word.EndsWith(suffix, StringComparison.Ordinal))
            {
                var stem = word[..^suffix.Length];
                return stem.Length > 3 && stem[^1] == stem[^2] && stem[^1] is not ('l' or 's') ? stem[..^1] : stem;
            }
        }

        return word;
    }

    private static string LengthName(int words) =>
        words switch { 0 => "none", <= 3 => "few", <= 12 => "some", <= 30 => "many", _ => "long" };

    /// <summary>
    /// FNV-1a over the kind of feature and its UTF-8 bytes, folded into the ids 1 to <see cref="TextFeatureOptions.Buckets"/> - 1.
    /// </summary>
    private long Id(char kind, ReadOnlySpan<char> text)
    {
        const ulong Prime = 1099511628211;
        Span<byte> bytes = stackalloc byte[512];
        var length = Encoding.UTF8.GetBytes(text, bytes);
        var hash = (14695981039346656037 ^ kind) * Prime;
        foreach (var value in bytes[..length])
        {
            hash = (hash ^ value) * Prime;
        }

        hash ^= hash >> 32;
        return 1 + (long)(hash % (ulong)(options.Buckets - 1));
    }
}
