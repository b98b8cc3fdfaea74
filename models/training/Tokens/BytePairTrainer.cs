namespace AgentPlatform.Training.Tokens;

/// <summary>
/// Learns merges: again and again, the pair of neighbours that is most frequent within the pieces of the texts becomes a token.
/// </summary>
internal static class BytePairTrainer
{
    /// <param name="texts">What to learn from; a text that is there twice counts twice.</param>
    /// <param name="size">Number of tokens to make, special ones included; fewer come out if no pair is left that occurs twice.</param>
    public static BytePairVocabulary Train(IEnumerable<string> texts, int size)
    {
        var pieces = texts.SelectMany(BytePairTokenizer.Pieces).CountBy(piece => piece)
            .OrderBy(piece => piece.Key, StringComparer.Ordinal)
            .Select(piece =>
                (Symbols: ByteSpelling.Spell(piece.Key).Select(character => character.ToString()).ToList(), Count: piece.Value))
            .ToList();
        var merges = new List<(string Left, string Right)>();
        while (merges.Count < size - 256 - BytePairVocabulary.Special.Count && MostFrequent(pieces) is { } merge)
        {
            merges.Add(merge);
            foreach (var (symbols, _) in pieces)
            {
                BytePairTokenizer.Apply(merge, symbols);
            }
        }

        return new BytePairVocabulary(merges);
    }

    private static (string Left, string Right)? MostFrequent(List<(List<string> Symbols, int Count)> pieces)
    {
        var counts = new Dictionary<(string Left, string Right), int>();
        foreach (var (symbols, count) in pieces)
        {
            for (var index = 0; index + 1 < symbols.Count; index++)
            {
                var pair = (symbols[index], symbols[index + 1]);
                counts[pair] = counts.GetValueOrDefault(pair) + count;
            }
        }

        // Among equals the first in ordinal order, so that the result does not depend on the dictionary's.
        var best = counts.OrderByDescending(pair => pair.Value).ThenBy(pair => pair.Key.Left, StringComparer.Ordinal)
            .ThenBy(pair => pair.Key.Right, StringComparer.Ordinal).FirstOrDefault();
        return best.Value > 1 ? best.Key : null;
    }
}
