namespace AgentPlatform.OnnxChat.Tokens;

/// <summary>
/// What a byte-level tokenizer learnt: the token of each byte, and which two neighbours become one, in the order in which that was learnt.
/// https://huggingface.co/docs/tokenizers/api/models#tokenizers.models.BPE
/// </summary>
/// <remarks>Safe for concurrent use.</remarks>
internal sealed class BytePairs
{
    private readonly Dictionary<long, (int Rank, int Token)> _merges;
    private readonly int[] _bytes = new int[256];
    private readonly bool _hasAllBytes;

    // By the first two bytes of a token: how long one that begins so can be. Two are enough to tell words from runs of spaces.
    private readonly ushort[] _longest = new ushort[256 * 256];

    /// <param name="vocabulary">The number of each token, written in <see cref="ByteAlphabet"/>.</param>
    /// <param name="merges">The pairs, by the names of their tokens.</param>
    /// <exception cref="NotSupportedException">
    /// A pair is of tokens that the vocabulary does not have, or makes one that it does not have.
    /// </exception>
    public BytePairs(IReadOnlyDictionary<string, int> vocabulary, IReadOnlyList<(string Left, string Right)> merges)
    {
        for (var value = 0; value < _bytes.Length; value++)
        {
            _bytes[value] = vocabulary.GetValueOrDefault(ByteAlphabet.Characters[value].ToString(), -1);
        }

        _hasAllBytes = !_bytes.Contains(-1);
        foreach (var token in vocabulary.Keys)
        {
            Measure(ByteAlphabet.Decode(token) ?? []);
        }

        _merges = new Dictionary<long, (int, int)>(merges.Count);
        for (var rank = 0; rank < merges.Count; rank++)
        {
            var (left, right) = merges[rank];
            _merges[Pair(Find(left), Find(right))] = (rank, Find(left + right));
        }

        int Find(string token) => vocabulary.TryGetValue(token, out var id)
            ? id
            : throw new NotSupportedException($"Its merges name the token '{token}', which its vocabulary does not have.");
    }

    /// <summary>Most bytes of one token.</summary>
    public int LongestToken { get; private set; } = 1;

    /// <summary>The token of a single byte; -1 if there is none, and text leaves it out.</summary>
    public int TokenOf(byte value) => _bytes[value];

    /// <summary>What two neighbouring tokens become, and when: the lowest rank first.</summary>
    public bool TryMerge(int left, int right, out (int Rank, int Token) merge) => _merges.TryGetValue(Pair(left, right), out merge);

    /// <summary>
    /// A number of tokens of which a text has no fewer, whatever is joined in it; known
    /// without joining anything. Counts no further than one beyond <paramref name="most"/>.
    /// </summary>
    public long LeastTokens(ReadOnlySpan<byte> text, long most)
    {
        if (!_hasAllBytes)
        {
            return 0;
        }

        // So many tokens reach to here at the farthest; with one more it is the farthest that any token gets that begins before that.
        var (tokens, reach, farthest) = (0L, 0, 0);
        for (var at = 0; reach < text.Length && tokens <= most; at++)
        {
            farthest = Math.Max(farthest, at + LongestAt(text[at..]));
            if (at == reach)
            {
                tokens++;
                reach = farthest;
            }
        }

        return tokens;
    }

    private static long Pair(int left, int right) => ((long)left << 32) | (uint)right;

    private int LongestAt(ReadOnlySpan<byte> text) => text.Length > 1 ? Math.Max(1, (int)_longest[(text[0] << 8) | text[1]]) : 1;

    private void Measure(byte[] token)
    {
        LongestToken = Math.Max(LongestToken, token.Length);
        if (token.Length > 1)
        {
            ref var longest = ref _longest[(token[0] << 8) | token[1]];
            longest = (ushort)Math.Clamp(token.Length, longest, ushort.MaxValue);
        }
    }
}
