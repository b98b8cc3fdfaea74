namespace AgentPlatform.Training.Networks;

/// <summary>Shape and schedule of one <see cref="BagNetwork"/>; chosen by cross-validation within the training split.</summary>
internal sealed record NetworkOptions
{
    public int Buckets { get; init; } = 1 << 24;
    public int Dimensions { get; init; } = 8;
    public int Hidden { get; init; } = 24;
    public int Labels { get; init; } = 3;
    public int Epochs { get; init; } = 10;
    public float Rate { get; init; } = 0.012f;

    /// <summary>Part of the ids left out of each pass, so that no single word decides.</summary>
    public float Dropout { get; init; } = 0.3f;

    /// <summary>Pull of an embedding row back to where it began, per use.</summary>
    public float Decay { get; init; } = 2e-3f;

    /// <summary>Part of the target spread over all labels.</summary>
    public float Smoothing { get; init; } = 0.05f;

    /// <summary>Length of an embedding row's first two numbers per step of the lexicon.</summary>
    public float LexiconScale { get; init; } = 0.5f;
}
