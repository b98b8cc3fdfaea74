using System.Text;
using System.Text.RegularExpressions;
using Microsoft.ML.Tokenizers;

namespace AgentPlatform.Worker.Engines.OnnxChat.Tokens;

/// <summary>A model's tokens: text to their numbers, and a number to its bytes.</summary>
/// <remarks>Safe for concurrent use.</remarks>
internal sealed class ChatTokenizer
{
    // A character that no text may hold (https://www.unicode.org/faq/private_use.html#noncharacters).
    private const char Guard = '\uFFFE';

    private readonly Tokenizer _tokenizer;
    private readonly Regex? _added;
    private readonly Regex? _special;
    private readonly Dictionary<string, int> _addedIds;
    private readonly HashSet<int> _specialIds;
    private readonly byte[]?[] _bytes;
    private readonly NormalizationForm? _normalization;

    /// <param name="tokenizer">What cuts text that holds no added token.</param>
    /// <param name="vocabulary">The bytes of every token of it.</param>
    /// <param name="added">The added tokens.</param>
    /// <param name="normalization">Unicode's form that the model was trained on; null if text is taken as it comes.</param>
    public ChatTokenizer(Tokenizer tokenizer, IReadOnlyDictionary<int, byte[]> vocabulary, IReadOnlyList<AddedToken> added, NormalizationForm? normalization)
    {
        (_tokenizer, _normalization) = (tokenizer, normalization);
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
    }

    /// <summary>One more than the highest token.</summary>
    public int Count => _bytes.Length;

    /// <summary>The number of an added token; null if there is none of that text.</summary>
    public int? Find(string token) => _addedIds.TryGetValue(token, out var id) ? id : null;

    /// <summary>Whether a token is a mark, and not part of an answer's text.</summary>
    public bool IsSpecial(int token) => _specialIds.Contains(token);

    /// <summary>What a token stands for, which may be a part of a character; nothing if the model's table is larger than its vocabulary.</summary>
    public byte[] BytesOf(int token) => (uint)token < (uint)_bytes.Length ? _bytes[token] ?? [] : [];

    /// <summary>
    /// Keeps a text that somebody wrote from being read as one of the model's marks: <c>&lt;|im_end|&gt;</c> in a message must not end it. The
    /// marks of the template itself are put around it later.
    /// </summary>
    public string Protect(string text)
    {
        text = text.Replace(Guard.ToString(), "", StringComparison.Ordinal);
        return _special is null ? text : _special.Replace(text, static match => match.Value.Insert(1, Guard.ToString()));
    }

    /// <summary>The tokens of a rendered template.</summary>
    public List<int> Encode(string text)
    {
        List<int> tokens = [];
        var start = 0;
        for (var match = _added?.Match(text); match is { Success: true }; match = match.NextMatch())
        {
            EncodePart(text[start..match.Index], tokens);
            tokens.Add(_addedIds[match.Value]);
            start = match.Index + match.Length;
        }

        EncodePart(text[start..], tokens);
        return tokens;
    }

    private void EncodePart(string text, List<int> tokens)
    {
        text = text.Replace(Guard.ToString(), "", StringComparison.Ordinal);
        if (text.Length > 0)
        {
            tokens.AddRange(_tokenizer.EncodeToIds(_normalization is { } form ? text.Normalize(form) : text, considerNormalization: false));
        }
    }

    // Where several begin at one place, the longest is meant.
    private static Regex? AnyOf(IEnumerable<AddedToken> tokens)
    {
        var pattern = string.Join('|', tokens.Select(token => token.Content).Where(content => content.Length > 0).OrderByDescending(content => content.Length).Select(Regex.Escape));
        return pattern.Length > 0 ? new Regex(pattern, RegexOptions.CultureInvariant | RegexOptions.NonBacktracking) : null;
    }
}
