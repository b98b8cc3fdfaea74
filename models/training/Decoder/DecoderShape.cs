namespace AgentPlatform.Training.Decoder;

/// <summary>
/// The sizes of a decoder of Llama's architecture: RMSNorm, rotary
/// positions, grouped-query attention, SwiGLU, tied embeddings, no biases.
/// </summary>
/// <param name="Vocabulary">Number of tokens.</param>
/// <param name="Layers">Number of blocks.</param>
/// <param name="Width">Length of a hidden state.</param>
/// <param name="Heads">Query heads; a multiple of <paramref name="KeyValueHeads"/>.</param>
/// <param name="KeyValueHeads">Key and value heads.</param>
/// <param name="HeadSize">Length of one head's vectors; even.</param>
/// <param name="Hidden">Inner length of the feed-forward part.</param>
/// <param name="Context">The longest sequence that it is made for, in tokens.</param>
internal sealed record DecoderShape(
    int Vocabulary, int Layers, int Width, int Heads, int KeyValueHeads, int HeadSize, int Hidden, int Context)
{
    public float RopeTheta { get; init; } = 10_000;

    public float NormEpsilon { get; init; } = 1e-5f;

    /// <summary>Number of weights.</summary>
    public long Parameters =>
        (long)Width * (Vocabulary + 1 + (Layers * (2L + (2 * Heads * HeadSize) + (2 * KeyValueHeads * HeadSize) + (3 * Hidden))));
}
