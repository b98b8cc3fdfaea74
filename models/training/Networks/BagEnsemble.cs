using System.Globalization;
using AgentPlatform.Training.Onnx;

namespace AgentPlatform.Training.Networks;

/// <summary>
/// Networks that differ by their seed only, written as one: embeddings side by side, hidden layers in blocks, logits averaged.
/// </summary>
internal sealed class BagEnsemble(IReadOnlyList<BagNetwork> members, NetworkOptions options)
{
    /// <summary>The key of the model's metadata under which it names the number of ids that it was trained for.</summary>
    private const string Buckets = "buckets";

    /// <summary>The graph as an ONNX file. Embeddings are written as bytes, with a scale for each column.</summary>
    public byte[] ToOnnx(IdTable table)
    {
        var (count, dimensions, hidden, labels) = (members.Count, options.Dimensions, options.Hidden, options.Labels);
        var (width, allHidden) = (count * dimensions, count * hidden);
        var embedding = new sbyte[table.Ids.Length * width];
        var scales = new float[width];
        var hiddenWeights = new float[2 * width * allHidden];
        var hiddenBias = new float[allHidden];
        var outputWeights = new float[allHidden * labels];
        var outputBias = new float[labels];
        for (var member = 0; member < count; member++)
        {
            var network = members[member];
            for (var dimension = 0; dimension < dimensions; dimension++)
            {
                var column = (member * dimensions) + dimension;
                scales[column] = WriteColumn(network.Embedding, dimension, embedding, width, column);
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

        var graph = new OnnxGraph("sentiment")
            .Note(Buckets, options.Buckets.ToString(CultureInfo.InvariantCulture))
            .Input("ids", OnnxType.Int64, "batch", "length")
            .Output("logits", OnnxType.Float, "batch", labels)
            .Constant("embedding", embedding, table.Ids.Length, width)
            .Constant("scales", scales, width)
            .Constant("hidden_weights", hiddenWeights, 2 * width, allHidden)
            .Constant("hidden_bias", hiddenBias, allHidden)
            .Constant("output_weights", outputWeights, allHidden, labels)
            .Constant("output_bias", outputBias, labels)
            .Constant("length_axis", [1L]);
        return FindRows(graph, table)
            .Node("Gather", ["embedding", "row"], "row_bytes")
            .Node("Cast", ["row_bytes"], "rows", ("to", (int)OnnxType.Float))
            .Node("ReduceSum", ["rows", "length_axis"], "sums", ("keepdims", 0))
            .Node("Cast", ["ids"], "is_there", ("to", (int)OnnxType.Boolean))
            .Node("Cast", ["is_there"], "there", ("to", (int)OnnxType.Float))
            .Node("ReduceSum", ["there", "length_axis"], "count", ("keepdims", 1))
            .Node("Sqrt", ["count"], "count_root")
            .Node("Div", ["sums", "count_root"], "means")
            .Node("Mul", ["means", "scales"], "scaled_means")
            .Node("ReduceMax", ["rows"], "highest", ("axes", new long[] { 1 }), ("keepdims", 0))
            .Node("Relu", ["highest"], "maxima")
            .Node("Mul", ["maxima", "scales"], "scaled_maxima")
            .Node("Concat", ["scaled_means", "scaled_maxima"], "bag", ("axis", 1))
            .Node("Gemm", ["bag", "hidden_weights", "hidden_bias"], "hidden_sums")
            .Node("Relu", ["hidden_sums"], "hidden")
            .Node("Gemm", ["hidden", "output_weights", "output_bias"], "logits")
            .ToBytes();
    }

    /// <summary><see cref="IdTable"/>'s indexer as nodes.</summary>
    private static OnnxGraph FindRows(OnnxGraph graph, IdTable table) => graph
        .Constant("row_in_place", table.Rows)
        .Constant("id_of_row", table.Ids)
        .Constant("places", (long)table.Size)
        .Constant("multiplier", IdTable.Multiplier)
        .Constant("divisor", IdTable.Divisor)
        .Constant("no_row", 0)
        .Node("Cast", ["ids"], "id", ("to", (int)OnnxType.Int32))
        .Node("Mod", ["ids", "places"], "first_place")
        .Node("Gather", ["row_in_place", "first_place"], "first_row")
        .Node("Gather", ["id_of_row", "first_row"], "first_id")
        .Node("Equal", ["first_id", "id"], "is_first")
        .Node("Mul", ["ids", "multiplier"], "product")
        .Node("Div", ["product", "divisor"], "quotient")
        .Node("Mod", ["quotient", "places"], "remainder")
        .Node("Add", ["remainder", "places"], "second_place")
        .Node("Gather", ["row_in_place", "second_place"], "second_row")
        .Node("Gather", ["id_of_row", "second_row"], "second_id")
        .Node("Equal", ["second_id", "id"], "is_second")
        .Node("Where", ["is_second", "second_row", "no_row"], "second_or_none")
        .Node("Where", ["is_first", "first_row", "second_or_none"], "row");

    private float WriteColumn(ReadOnlySpan<float> source, int dimension, sbyte[] target, int width, int column)
    {
        var highest = 1e-6f;
        for (var index = dimension; index < source.Length; index += options.Dimensions)
        {
            highest = Math.Max(highest, Math.Abs(source[index]));
        }

        var scale = highest / sbyte.MaxValue;
        for (int index = dimension, row = 0; index < source.Length; index += options.Dimensions, row++)
        {
            target[(row * width) + column] = (sbyte)MathF.Round(source[index] / scale);
        }

        return scale;
    }
}
