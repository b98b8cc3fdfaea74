namespace AgentPlatform.Training.Decoder;

/// <summary>
/// A decoder's weights. A matrix is stored row by row as [outputs, inputs], as PyTorch's <c>Linear</c> has it; heads follow each other in
/// the rows of queries, keys and values, and a head's first half turns with its second half (Hugging Face's order of rotary positions).
/// </summary>
internal sealed class DecoderWeights
{
    /// <summary>[vocabulary, width]; the output layer as well.</summary>
    public required float[] Embedding { get; init; }

    /// <summary>[width].</summary>
    public required float[] FinalNorm { get; init; }

    public required DecoderLayer[] Layers { get; init; }

    /// <summary>These weights with matrices in half precision, as they are stored.</summary>
    public DecoderWeights Rounded() => new()
    {
        Embedding = Rounded(Embedding),
        FinalNorm = FinalNorm,
        Layers = Array.ConvertAll(Layers, layer => new DecoderLayer
        {
            AttentionNorm = layer.AttentionNorm,
            Query = Rounded(layer.Query),
            Key = Rounded(layer.Key),
            Value = Rounded(layer.Value),
            Output = Rounded(layer.Output),
            FeedForwardNorm = layer.FeedForwardNorm,
            Gate = Rounded(layer.Gate),
            Up = Rounded(layer.Up),
            Down = Rounded(layer.Down),
        }),
    };

    /// <summary>Weights drawn from a seed, on the scale of a trained model's, for tests of what runs such a model.</summary>
    public static DecoderWeights Random(DecoderShape shape, ulong seed)
    {
        var state = seed;
        var (queries, keys) = (shape.Heads * shape.HeadSize, shape.KeyValueHeads * shape.HeadSize);
        return new DecoderWeights
        {
            Embedding = Matrix(shape.Vocabulary, shape.Width, 1),
            FinalNorm = Norm(),
            Layers = [.. Enumerable.Range(0, shape.Layers).Select(_ => new DecoderLayer
            {
                AttentionNorm = Norm(),
                Query = Matrix(queries, shape.Width, 2),
                Key = Matrix(keys, shape.Width, 2),
                Value = Matrix(keys, shape.Width, 1),
                Output = Matrix(shape.Width, queries, 1),
                FeedForwardNorm = Norm(),
                Gate = Matrix(shape.Hidden, shape.Width, 1),
                Up = Matrix(shape.Hidden, shape.Width, 1),
                Down = Matrix(shape.Width, shape.Hidden, 1),
            })],
        };

        float[] Norm() => [.. Enumerable.Range(0, shape.Width).Select(_ => 1 + (0.2f * Next()))];

        float[] Matrix(int outputs, int inputs, float gain)
        {
            var scale = gain * MathF.Sqrt(3f / inputs);
            return [.. Enumerable.Range(0, outputs * inputs).Select(_ => (float)(Half)(scale * Next()))];
        }

        // SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014): the same numbers on every runtime.
        float Next()
        {
            var mixed = state += 0x9E3779B97F4A7C15;
            mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9;
            mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EB;
            return ((mixed ^ (mixed >> 31)) >> 40) / (float)(1 << 23) - 1;
        }
    }

    private static float[] Rounded(float[] matrix) => Array.ConvertAll(matrix, weight => (float)(Half)weight);
}

/// <summary>One block's weights.</summary>
internal sealed class DecoderLayer
{
    /// <summary>[width].</summary>
    public required float[] AttentionNorm { get; init; }

    /// <summary>[heads * head size, width].</summary>
    public required float[] Query { get; init; }

    /// <summary>[key-value heads * head size, width].</summary>
    public required float[] Key { get; init; }

    /// <summary>[key-value heads * head size, width].</summary>
    public required float[] Value { get; init; }

    /// <summary>[width, heads * head size].</summary>
    public required float[] Output { get; init; }

    /// <summary>[width].</summary>
    public required float[] FeedForwardNorm { get; init; }

    /// <summary>[hidden, width].</summary>
    public required float[] Gate { get; init; }

    /// <summary>[hidden, width].</summary>
    public required float[] Up { get; init; }

    /// <summary>[width, hidden].</summary>
    public required float[] Down { get; init; }
}
