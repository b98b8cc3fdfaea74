namespace AgentPlatform.Worker.Engines.Classifier;

/// <summary>
/// How <see cref="TextFeatures"/> cuts a text; part of a model's
/// <c>config.json</c>, because a model only understands the ids it was trained on.
/// </summary>
/// <remarks>
/// Settable, since the source-generated reader gives init-only members their type's default where the file leaves them out.
/// </remarks>
internal sealed record TextFeatureOptions
{
    /// <summary>Number of ids (2 to 16,777,216), the padding id 0 included; the number of rows in the model's embedding.</summary>
    public int Buckets { get; set; } = 1 << 15;

    /// <summary>
    /// Words beyond this number (2 to 4,096) are left out of the middle
    /// of a text, since opinions stand at its beginning and its end.
    /// </summary>
    public int MaxWords { get; set; } = 128;

    /// <summary>How many words (0 to 16) after a negation count as negated, unless punctuation or "but" ends it sooner.</summary>
    public int NegationScope { get; set; } = 4;

    /// <summary>Length of the character n-grams (up to 8) of longer words; 0 leaves them out.</summary>
    public int CharacterGram { get; set; } = 4;
}
