namespace AgentPlatform.Training.Tokens;

/// <summary>
/// Tokens of a byte-level byte-pair encoding: the 256 bytes, then one per
/// merge, then special tokens. Texts are in <see cref="ByteSpelling"/>.
/// </summary>
internal sealed record BytePairVocabulary(IReadOnlyList<(string Left, string Right)> Merges)
{
    public const string TextEnd = "<|endoftext|>";
    public const string TurnStart = "<|im_start|>";
    public const string TurnEnd = "<|im_end|>";

    public static IReadOnlyList<string> Special { get; } = [TextEnd, TurnStart, TurnEnd];

    /// <summary>Tokens by id.</summary>
    public IReadOnlyList<string> Tokens { get;
        } = [.. ByteSpelling.InTokenOrder, .. Merges.Select(merge => merge.Left + merge.Right), .. Special];

    public int IdOf(string special) => Tokens.Count - Special.Count + Special.ToList().IndexOf(special);
}
