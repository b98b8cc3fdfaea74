using System.Text;
using System.Text.RegularExpressions;

namespace AgentPlatform.Training.Tokens;

/// <summary>Turns text into tokens and back. Not thread-safe: it remembers the tokens of pieces.</summary>
internal sealed partial class BytePairTokenizer
{
    private readonly BytePairVocabulary _vocabulary;
    private readonly Dictionary<string, int> _ids;
    private readonly Dictionary<(string, string), int> _ranks;
    private readonly Dictionary<string, int[]> _known = [];

    public BytePairTokenizer(BytePairVocabulary vocabulary)
    {
        _vocabulary = vocabulary;
        _ids = vocabulary.Tokens.Index().ToDictionary(token => token.Item, token => token.Index);
        _ranks = vocabulary.Merges.Index().ToDictionary(merge => merge.Item, merge => merge.Index);
    }

    /// <summary>The tokens of plain text; a special token's name in it is text like any other.</summary>
    public IEnumerable<int> Encode(string text) => Pieces(text).SelectMany(Ids);

    public string Decode(IEnumerable<int> ids) =>
        Encoding.UTF8.GetString([.. ids.SelectMany(id => ByteSpelling.Read(_vocabulary.Tokens[id]))]);

    /// <summary>GPT-2's split of a text; merges stay within a piece.</summary>
    public static IEnumerable<string> Pieces(string text) => Pattern().Matches(text).Select(match => match.Value);

    /// <summary>Joins each occurrence of a pair of neighbours, from the left.</summary>
    public static void Apply((string Left, string Right) merge, List<string> symbols)
    {
        for (var index = 0; index + 1 < symbols.Count; index++)
        {
            if (symbols[index] == merge.Left && symbols[index + 1] == merge.Right)
            {
                symbols[index] += merge.Right;
                symbols.RemoveAt(index + 1);
            }
        }
    }

    private int[] Ids(string piece)
    {
        if (_known.TryGetValue(piece, out var ids))
        {
            return ids;
        }

        var symbols = ByteSpelling.Spell(piece).Select(character => character.ToString()).ToList();
        while (symbols.Count > 1)
        {
            var pairs = symbols.Zip(symbols.Skip(1)).ToList();
            var earliest = pairs.MinBy(pair => _ranks.GetValueOrDefault(pair, int.MaxValue));
            if (!_ranks.ContainsKey(earliest))
            {
                break;
            }

            Apply(earliest, symbols);
        }

        return _known[piece] = [.. symbols.Select(symbol => _ids[symbol])];
    }

    [GeneratedRegex(@"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+")]
    private static partial Regex Pattern();
}
