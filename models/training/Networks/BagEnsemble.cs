using AgentPlatform.Training.Onnx;

namespace AgentPlatform.Training.Networks;

/// <summary>
/// Networks that differ by their seed only, written as one: embeddings side by side, hidden layers in blocks, logits averaged.
/// </summary>
internal sealed class BagEnsemble(IReadOnlyList<BagNetwork> members, NetworkOptions options)
{
    /// <summary>
    /// The graph as an ONNX file. Ids that are not in <paramref name="used"/> share the row of zeros, so that the number of buckets, and with
    /// it the chance that two words collide, costs next to nothing.
    /// </summary>
    public byte[] ToOnnx(IReadOnlySet<long> used)
    {
        var (count, dimensions, hidden, labels) = (members.Count, options.Dimensions, options.Hidden, options.Labels);
        var (width, allHidden) = (count * dimensions, count * hidden);
        var ids = used.Order().ToArray();
        var rows = new int[options.Buckets];
        var embedding = new float[(ids.Length + 1) * width];
        var hiddenWeights = new float[2 * width * allHidden];
        var hiddenBias = new float[allHidden];
        var outputWeights = new float[allHidden * labels];
        var outputBias = new float[labels];
        for (var member = 0; member < count; member++)
        {
            var network = members[member];
            for (var index = 0; index < ids.Length; index++)
            {
                rows[ids[index]] = index + 1;
                network.Embedding.Slice((int)ids[index] * dimensions, dimensions).CopyTo(embedding.AsSpan(((index + 1) * width) + (member * dimensions)));
            }

            for (var input = 0; input < 2 * dimensions; input++)
            {
                // The network's inputs are its sums and then its maxima; the ensemble's are everyone's sums and then everyone's maxima.
                var place = input < dimensions ? (member * dimensions) + input : width + (member * dimensions) + input - dimensions;
                network.HiddenWeights.Slice(input * hidden, hidden).CopyTo(hiddenWeights.AsSpan((place * allHidden) + (member * hidden)));
            }

            network.HiddenBias.CopyTo(hiddenBias.AsSpan(member * hidden));
            for (var weight = 0; weight < hidden * labels; weight++)
            {
                outputWeights[(member * hidden * labels) + weight] = network.OutputWeights[weight] / count;
            }

            for (var output = 0; output < labels; output++)
            {
                outputBias[output] += network.OutputBias[output] / count;
            }
        }

        return new OnnxGraph("sentiment")
            .Input("ids", OnnxType.Int64, "batch", "length")
            .Output("logits", OnnxType.Float, "batch", labels)
            .Constant("row_of_id", rows)
            .Constant("embedding", embedding, ids.Length + 1, width)
            .Constant("hidden_weights", hiddenWeights, 2 * width, allHidden)
            .Constant("hidden_bias", hiddenBias, allHidden)
            .Constant("output_weights", outputWeights, allHidden, labels)
            .Constant("output_bias", outputBias, labels)
            .Constant("length_axis", [1L])
            .Node("Gather", ["row_of_id", "ids"], "row")
            .Node("Gather", ["embedding", "row"], "rows")
            .Node("ReduceSum", ["rows", "length_axis"], "sums", ("keepdims", 0))
            .Node("Cast", ["ids"], "is_there", ("to", (int)OnnxType.Boolean))
            .Node("Cast", ["is_there"], "there", ("to", (int)OnnxType.Float))
            .Node("ReduceSum", ["there", "length_axis"], "count", ("keepdims", 1))
            .Node("Sqrt", ["count"], "count_root")
            .Node("Div", ["sums", "count_root"], "means")
            .Node("ReduceMax", ["rows"], "highest", ("axes", new long[] { 1 }), ("keepdims", 0))
            .Node("Relu", ["highest"], "maxima")
            .Node("Concat", ["means", "maxima"], "bag", ("axis", 1))
            .Node("Gemm", ["bag", "hidden_weights", "hidden_bias"], "hidden_sums")
            .Node("Relu", ["hidden_sums"], "hidden")
            .Node("Gemm", ["hidden", "output_weights", "output_bias"], "logits")
            .ToBytes();
    }
}
