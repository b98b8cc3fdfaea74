using AgentPlatform.Training.Onnx;

namespace AgentPlatform.Training.Decoder;

/// <summary>
/// Writes a decoder as ONNX in the layout of Hugging Face Optimum's task text-generation-with-past. Matrices are stored in half precision
/// and widened when the file is loaded; the computation is in single precision.
/// </summary>
/// <remarks>
/// <para>In: <c>input_ids</c> [batch, new] int64, <c>attention_mask</c> [batch, past + new] int64, <c>position_ids</c> [batch, new]
/// int64, <c>past_key_values.N.key</c> and <c>.value</c> [batch, key-value heads, past, head size] float. Out: <c>logits</c> [batch,
/// new, vocabulary] float, <c>present.N.key</c> and <c>.value</c> [batch, key-value heads, past + new, head size].</para>
/// <para>A new token sees what stands before it and itself, as far as <c>attention_mask</c> is 1 there; only <c>position_ids</c> says
/// how far apart tokens are, so a sequence may have unused slots anywhere.</para>
/// </remarks>
internal sealed class DecoderOnnx
{
    // Far below every score, and finite: a row of which nothing may be seen (padding) gives numbers, not NaN.
    private const float Unseen = -1e30f;

    private readonly DecoderShape _shape;
    private readonly OnnxGraph _graph = new("decoder");

    private DecoderOnnx(DecoderShape shape) => _shape = shape;

    /// <summary>The file's bytes.</summary>
    public static byte[] Write(DecoderShape shape, DecoderWeights weights)
    {
        var writer = new DecoderOnnx(shape);
        writer.Declare();
        writer.Prepare(weights);
        var state = "embedded";
        for (var layer = 0; layer < shape.Layers; layer++)
        {
            state = writer.Layer($"layer{layer}", $"past_key_values.{layer}", $"present.{layer}", weights.Layers[layer], state);
        }

        writer.Finish(weights, state);
        return writer._graph.ToBytes();
    }

    private void Declare()
    {
        _graph
            .Input("input_ids", OnnxType.Int64, "batch_size", "sequence_length")
            .Input("attention_mask", OnnxType.Int64, "batch_size", "past_sequence_length + sequence_length")
            .Input("position_ids", OnnxType.Int64, "batch_size", "sequence_length")
            .Output("logits", OnnxType.Float, "batch_size", "sequence_length", _shape.Vocabulary);
        for (var layer = 0; layer < _shape.Layers; layer++)
        {
            foreach (var part in (string[])["key", "value"])
            {
                _graph.Input(
                    $"past_key_values.{layer}.{part}", OnnxType.Float, "batch_size", _shape.KeyValueHeads, "past_sequence_length",
                    _shape.HeadSize);
                _graph.Output(
                    $"present.{layer}.{part}", OnnxType.Float, "batch_size", _shape.KeyValueHeads, "past_sequence_length + sequence_length",
                    _shape.HeadSize);
            }
        }
    }

    /// <summary>What all layers use: embedded tokens, cosine and sine of the positions, and the mask.</summary>
    private void Prepare(DecoderWeights weights)
    {
        var (half, group) = (_shape.HeadSize / 2, _shape.Heads / _shape.KeyValueHeads);
        var frequencies = new float[half];
        for (var pair = 0; pair < half; pair++)
        {
            frequencies[pair] = (float)Math.Pow(_shape.RopeTheta, -2.0 * pair / _shape.HeadSize);
        }

        _graph
            .Constant("zero", 0L).Constant("one", 1L).Constant("second_axis", [1L])
            .Constant("epsilon", _shape.NormEpsilon).Constant("seen_score", 0f).Constant("unseen_score", Unseen)
            .Constant("scale", 1 / MathF.Sqrt(_shape.HeadSize))
            .Constant("split_projections", [(long)(_shape.Heads + _shape.KeyValueHeads), _shape.KeyValueHeads])
            .Constant("split_queries", [(long)_shape.Heads, _shape.KeyValueHeads])
            .Constant("projected_shape", [0L, 0, _shape.Heads + (2 * _shape.KeyValueHeads), _shape.HeadSize])
            .Constant("grouped_shape", [0L, _shape.KeyValueHeads, -1, _shape.HeadSize])
            .Constant("joined_shape", [0L, 0, _shape.Heads * _shape.HeadSize])
            .Constant("mask_axes", [1L, 2]).Constant("position_axes", [2L, 3])
            .HalfConstant("embedding_half", weights.Embedding, _shape.Vocabulary, _shape.Width)
            .Node("Cast", ["embedding_half"], "embedding", ("to", (int)OnnxType.Float))
            .Node("Gather", ["embedding", "input_ids"], "embedded");

        // [batch, new, 1, half a head]
        _graph
            .Constant("frequencies", frequencies, half)
            .Node("Cast", ["position_ids"], "positions", ("to", (int)OnnxType.Float))
            .Node("Unsqueeze", ["positions", "position_axes"], "position_column")
            .Node("Mul", ["position_column", "frequencies"], "angles")
            .Node("Cos", ["angles"], "cosines")
            .Node("Sin", ["angles"], "sines");

        // [batch, 1, group * new, past + new]: the query heads that share a key head stand below each other, see Layer.
        _graph
            .Node("Shape", ["input_ids"], "input_sizes").Node("Gather", ["input_sizes", "one"], "new_count")
            .Node("Shape", ["attention_mask"], "mask_sizes").Node("Gather", ["mask_sizes", "one"], "all_count")
            .Node("Sub", ["all_count", "new_count"], "past_count")
            .Node("Range", ["zero", "all_count", "one"], "slots")
            .Node("Range", ["past_count", "all_count", "one"], "own_slots")
            .Node("Unsqueeze", ["own_slots", "second_axis"], "own_slot_column")
            .Node("LessOrEqual", ["slots", "own_slot_column"], "not_later")
            .Node("Cast", ["attention_mask"], "in_use", ("to", (int)OnnxType.Boolean))
            .Node("Unsqueeze", ["in_use", "mask_axes"], "in_use_rows")
            .Node("And", ["in_use_rows", "not_later"], "seen")
            .Node("Where", ["seen", "seen_score", "unseen_score"], "mask_of_head")
            .Node("Concat", [.. Enumerable.Repeat("mask_of_head", group)], "mask", ("axis", 2));
    }

    private string Layer(string name, string past, string present, DecoderLayer weights, string state)
    {
        var (queries, keys) = (_shape.Heads * _shape.HeadSize, _shape.KeyValueHeads * _shape.HeadSize);
        var normed = Norm($"{name}.attention_norm", weights.AttentionNorm, state);
        var projected = Multiply(
            $"{name}.projections", normed, _shape.Width, (weights.Query, queries), (weights.Key, keys), (weights.Value, keys));
        _graph
            .Node("Reshape", [projected, "projected_shape"], $"{name}.heads")
            .Node("Split", [$"{name}.heads", "split_projections"], [$"{name}.unturned", $"{name}.values"], ("axis", 2))
            // Rotary positions, for queries and keys at once: a head's halves turn as the real and imaginary part of complex numbers.
            .Node("Split", [$"{name}.unturned"], [$"{name}.real", $"{name}.imaginary"], ("axis", 3))
            .Node("Mul", [$"{name}.real", "cosines"], $"{name}.real_cosine")
            .Node("Mul", [$"{name}.imaginary", "sines"], $"{name}.imaginary_sine")
            .Node("Mul", [$"{name}.imaginary", "cosines"], $"{name}.imaginary_cosine")
            .Node("Mul", [$"{name}.real", "sines"], $"{name}.real_sine")
            .Node("Sub", [$"{name}.real_cosine", $"{name}.imaginary_sine"], $"{name}.turned_real")
            .Node("Add", [$"{name}.imaginary_cosine", $"{name}.real_sine"], $"{name}.turned_imaginary")
            .Node("Concat", [$"{name}.turned_real", $"{name}.turned_imaginary"], $"{name}.turned", ("axis", 3))
            .Node("Split", [$"{name}.turned", "split_queries"], [$"{name}.queries", $"{name}.keys"], ("axis", 2))
            .Node("Transpose", [$"{name}.keys"], $"{name}.new_keys", ("perm", new long[] { 0, 2, 1, 3 }))
            .Node("Transpose", [$"{name}.values"], $"{name}.new_values", ("perm", new long[] { 0, 2, 1, 3 }))
            .Node("Concat", [$"{past}.key", $"{name}.new_keys"], $"{present}.key", ("axis", 2))
            .Node("Concat", [$"{past}.value", $"{name}.new_values"], $"{present}.value", ("axis", 2))
            // Query heads that share a key head become rows of one matrix, so that keys and values need no copies.
            .Node("Transpose", [$"{name}.queries"], $"{name}.query_heads", ("perm", new long[] { 0, 2, 1, 3 }))
            .Node("Shape", [$"{name}.query_heads"], $"{name}.query_sizes")
            .Node("Mul", [$"{name}.query_heads", "scale"], $"{name}.scaled_queries")
            .Node("Reshape", [$"{name}.scaled_queries", "grouped_shape"], $"{name}.grouped_queries")
            .Node("Transpose", [$"{present}.key"], $"{name}.key_columns", ("perm", new long[] { 0, 1, 3, 2 }))
            .Node("MatMul", [$"{name}.grouped_queries", $"{name}.key_columns"], $"{name}.scores")
            .Node("Add", [$"{name}.scores", "mask"], $"{name}.masked_scores")
            .Node("Softmax", [$"{name}.masked_scores"], $"{name}.attention", ("axis", -1))
            .Node("MatMul", [$"{name}.attention", $"{present}.value"], $"{name}.grouped_found")
            .Node("Reshape", [$"{name}.grouped_found", $"{name}.query_sizes"], $"{name}.found_heads")
            .Node("Transpose", [$"{name}.found_heads"], $"{name}.found_rows", ("perm", new long[] { 0, 2, 1, 3 }))
            .Node("Reshape", [$"{name}.found_rows", "joined_shape"], $"{name}.found");
        var attended = Multiply($"{name}.output", $"{name}.found", queries, (weights.Output, _shape.Width));
        _graph.Node("Add", [state, attended], $"{name}.attended");

        normed = Norm($"{name}.feed_forward_norm", weights.FeedForwardNorm, $"{name}.attended");
        var gated = Multiply($"{name}.gate_and_up", normed, _shape.Width, (weights.Gate, _shape.Hidden), (weights.Up, _shape.Hidden));
        _graph
            .Node("Split", [gated], [$"{name}.gate", $"{name}.up"], ("axis", 2))
            .Node("Sigmoid", [$"{name}.gate"], $"{name}.gate_sigmoid")
            .Node("Mul", [$"{name}.gate", $"{name}.gate_sigmoid"], $"{name}.gate_swish")
            .Node("Mul", [$"{name}.gate_swish", $"{name}.up"], $"{name}.hidden");
        var down = Multiply($"{name}.down", $"{name}.hidden", _shape.Hidden, (weights.Down, _shape.Width));
        _graph.Node("Add", [$"{name}.attended", down], $"{name}.out");
        return $"{name}.out";
    }

    private void Finish(DecoderWeights weights, string state)
    {
        var normed = Norm("final_norm", weights.FinalNorm, state);
        _graph
            .Node("Transpose", ["embedding"], "unembedding", ("perm", new long[] { 1, 0 }))
            .Node("MatMul", [normed, "unembedding"], "logits");
    }

    private string Norm(string name, float[] weights, string input)
    {
        _graph
            .Constant($"{name}.weight", weights, _shape.Width)
            .Node("Mul", [input, input], $"{name}.squares")
            .Node("ReduceMean", [$"{name}.squares"], $"{name}.mean", ("axes", new long[] { -1 }), ("keepdims", 1))
            .Node("Add", [$"{name}.mean", "epsilon"], $"{name}.safe_mean")
            .Node("Sqrt", [$"{name}.safe_mean"], $"{name}.root")
            .Node("Div", [input, $"{name}.root"], $"{name}.unit")
            .Node("Mul", [$"{name}.unit", $"{name}.weight"], $"{name}.normed");
        return $"{name}.normed";
    }

    /// <summary>
    /// Multiplies by matrices [outputs, inputs] side by side: one product with all their outputs. ONNX wants [inputs, outputs].
    /// </summary>
    private string Multiply(string name, string input, int inputs, params (float[] Matrix, int Outputs)[] matrices)
    {
        var outputs = matrices.Sum(matrix => matrix.Outputs);
        var weights = new float[inputs * outputs];
        var start = 0;
        foreach (var (matrix, count) in matrices)
        {
            for (var output = 0; output < count; output++)
            {
                for (var column = 0; column < inputs; column++)
                {
                    weights[(column * outputs) + start + output] = matrix[(output * inputs) + column];
                }
            }

            start += count;
        }

        _graph
            .HalfConstant($"{name}.half", weights, inputs, outputs)
            .Node("Cast", [$"{name}.half"], $"{name}.weight", ("to", (int)OnnxType.Float))
            .Node("MatMul", [input, $"{name}.weight"], $"{name}.product");
        return $"{name}.product";
    }
}
