using System.Text;
using System.Text.RegularExpressions;

namespace AgentPlatform.OnnxChat.Tokens;

/// <summary>A model's tokens: text to their numbers, and a number to its bytes.</summary>
/// <remarks>Safe for concurrent use.</remarks>
internal sealed class ChatTokenizer
{
    /// <summary>
    /// Stands in a rendered template for the end of the message that
    /// is to be continued; no text has it after <see cref="Protect"/>.
    /// </summary>
    public const char EndMark = '\uFFFF';

    // Characters that no text may hold (https://www.unicode.org/faq/private_use.html#noncharacters).
    private const char Guard = '\uFFFE';

    private readonly BytePairs _pairs;
    private readonly TextCutter _cutter;
    private readonly Regex? _added;
    private readonly Regex? _special;
    private readonly Dictionary<string, int> _addedIds;
    private readonly HashSet<int> _specialIds;
    private readonly byte[]?[] _bytes;
    private readonly TextNormalizer? _normalizer;
    private readonly int _longestToken;

    /// <param name="pairs">What is joined in text that holds no added token.</param>
    /// <param name="cutter">What cuts it before.</param>
    /// <param name="vocabulary">The bytes of every token of it.</param>
    /// <param name="added">The added tokens.</param>
    /// <param name="normalizer">Brings text into the form that the model was trained on; null if it is taken as it comes.</param>
    public ChatTokenizer(
        BytePairs pairs, TextCutter cutter, IReadOnlyDictionary<int, byte[]> vocabulary, IReadOnlyList<AddedToken> added,
        TextNormalizer? normalizer)
    {
        (_pairs, _cutter, _normalizer) = (pairs, cutter, normalizer);
        _addedIds = added.ToDictionary(token => token.Content, token => token.Id, StringComparer.Ordinal);
        _specialIds = [.. added.Where(token => token.Special).Select(token => token.Id)];
        _added = AnyOf(added);
        _special = AnyOf(added.Where(token => token.Special));
        _bytes = new byte[]?[1 + vocabulary.Keys.Concat(_addedIds.Values).DefaultIfEmpty(-1).Max()];
        foreach (var (id, bytes) in vocabulary)
        {
            _bytes[id] = bytes;
        }

        foreach (var token in added)
        {
            _bytes[token.Id] = Encoding.UTF8.GetBytes(token.Content);
        }

        _longestToken = added.Select(token => Encoding.UTF8.GetByteCount(token.Content)).Append(pairs.LongestToken).Max();
    }

    /// <summary>One more than the highest token.</summary>
    public int Count => _bytes.Length;

    /// <summary>The number of an added token; null if there is none of that text.</summary>
    public int? Find(string token) => _addedIds.TryGetValue(token, out var id) ? id : null;

    /// <summary>Whether a token is a mark, and not part of an answer's text.</summary>
    public bool IsSpecial(int token) => _specialIds.Contains(token);

    /// <summary>
    /// What a token stands for, which may be a part of a character; nothing if the model's table is larger than its vocabulary.
    /// </summary>
    public byte[] BytesOf(int token) => (uint)token < (uint)_bytes.Length ? _bytes[token] ?? [] : [];

    /// <summary>
    /// Keeps a user's text from being read as one of the model's marks: <c>&lt;|im_end|&gt;</c> in a message must not end it. The
    /// marks of the template itself are put around it later.
    /// </summary>
    public string Protect(string text)
    {
        text = text.AsSpan().ContainsAny(Guard, EndMark)
            ? text.Replace($"{Guard}", "", StringComparison.Ordinal).Replace($"{EndMark}", "", StringComparison.Ordinal)
            : text;
        return _special is null ? text : _special.Replace(text, static match => match.Value.Insert(1, Guard.ToString()));
    }

    /// <summary>The tokens of a rendered template.</summary>
    public List<int> Encode(string text) => TryEncode(text, int.MaxValue, CancellationToken.None)!;

    /// <summary>
    /// The same if there are at most <paramref name="most"/> of them, else null; the work is that of so many tokens,
    /// however long the text is. Text of which not even the longest tokens could be so few is not looked at.
    /// </summary>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    /// <exception cref="RegexMatchTimeoutException">The text keeps one of the model's patterns too busy.</exception>
    public List<int>? TryEncode(string text, int most, CancellationToken cancellationToken)
    {
        if (LeastBytes(text) > (long)most * _longestToken)
        {
            return null;
        }

        var encoder = new PieceEncoder(_pairs, most, cancellationToken);
        var start = 0;
        for (var match = _added?.Match(text); match is { Success: true } && !encoder.IsFull; match = match.NextMatch())
        {
            EncodePart(text.AsSpan(start..match.Index), encoder, cancellationToken);
            encoder.AddMark(_addedIds[match.Value]);
            start = match.Index + match.Length;
        }

        EncodePart(text.AsSpan(start), encoder, cancellationToken);
        return encoder.IsFull ? null : encoder.Tokens;
    }

    private void EncodePart(ReadOnlySpan<char> text, PieceEncoder encoder, CancellationToken cancellationToken)
    {
        if (text.Contains(Guard))
        {
            text = text.ToString().Replace($"{Guard}", "", StringComparison.Ordinal);
        }

        if (!encoder.IsFull)
        {
            _cutter.Cut(_normalizer is null ? text : _normalizer.Normalize(text, cancellationToken), encoder.Add);
        }
    }

    // Guards are left out, and a normalized text may be shorter than it came.
    private long LeastBytes(string text) =>
        (Encoding.UTF8.GetByteCount(text) - (3L * text.AsSpan().Count(Guard))) / (_normalizer is null ? 1 : TextNormalizer.MostShrinking);

    // Where several begin at one place, the longest is meant.
    private static Regex? AnyOf(IEnumerable<AddedToken> tokens)
    {
        var pattern = string.Join('|', tokens.Select(token => token.Content).Where(content => content.Length > 0)
            .OrderByDescending(content => content.Length).Select(Regex.Escape));
        return pattern.Length > 0 ? new Regex(pattern, RegexOptions.CultureInvariant | RegexOptions.NonBacktracking) : null;
    }
}
