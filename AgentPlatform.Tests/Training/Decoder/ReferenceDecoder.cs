using AgentPlatform.Training.Decoder;

namespace AgentPlatform.Tests.Training.Decoder;

/// <summary>
/// The architecture by its definition, one number at a time and in double precision: logits of every token of one sequence.
/// </summary>
internal sealed class ReferenceDecoder(DecoderShape shape, DecoderWeights weights)
{
    public double[][] Logits(int[] tokens)
    {
        var states = tokens.Select(token => Row(weights.Embedding, token, shape.Width)).ToArray();
        foreach (var layer in weights.Layers)
        {
            var normed = Array.ConvertAll(states, state => Norm(state, layer.AttentionNorm));
            var queries = normed.Select((state, position) => Turn(Multiply(layer.Query, state), position)).ToArray();
            var keys = normed.Select((state, position) => Turn(Multiply(layer.Key, state), position)).ToArray();
            var values = Array.ConvertAll(normed, state => Multiply(layer.Value, state));
            for (var position = 0; position < tokens.Length; position++)
            {
                var attended = Sum(states[position], Multiply(layer.Output, Attend(queries[position], keys[..(position + 1)], values)));
                var inner = Norm(attended, layer.FeedForwardNorm);
                var hidden = Multiply(layer.Gate, inner).Zip(Multiply(layer.Up, inner), (gate, up) => gate / (1 + Math.Exp(-gate)) * up)
                    .ToArray();
                states[position] = Sum(attended, Multiply(layer.Down, hidden));
            }
        }

        return Array.ConvertAll(states, state => Multiply(weights.Embedding, Norm(state, weights.FinalNorm)));
    }

    private double[] Attend(double[] query, double[][] keys, double[][] values)
    {
        var found = new double[query.Length];
        for (var head = 0; head < shape.Heads; head++)
        {
            var start = head / (shape.Heads / shape.KeyValueHeads) * shape.HeadSize;
            var odds = Array.ConvertAll(keys, key => Math.Exp(
                Enumerable.Range(0, shape.HeadSize)
                    .Sum(index => query[(head * shape.HeadSize) + index] * key[start + index]) / Math.Sqrt(shape.HeadSize)));
            for (var index = 0; index < shape.HeadSize; index++)
            {
                found[(head * shape.HeadSize) + index] = odds.Select((odd, position) => odd / odds.Sum() * values[position][start + index])
                    .Sum();
            }
        }

        return found;
    }

    private double[] Turn(double[] heads, int position)
    {
        var (turned, half) = (new double[heads.Length], shape.HeadSize / 2);
        for (var start = 0; start < heads.Length; start += shape.HeadSize)
        {
            for (var pair = 0; pair < half; pair++)
            {
                var (sine, cosine) = Math.SinCos(position * Math.Pow(shape.RopeTheta, -2.0 * pair / shape.HeadSize));
                var (real, imaginary) = (heads[start + pair], heads[start + half + pair]);
                (turned[start + pair], turned[start + half + pair]) = (
                    (real * cosine) - (imaginary * sine), (imaginary * cosine) + (real * sine));
            }
        }

        return turned;
    }

    private double[] Norm(double[] state, float[] weight)
    {
        var root = Math.Sqrt(state.Average(number => number * number) + shape.NormEpsilon);
        return [.. state.Select((number, index) => number / root * weight[index])];
    }

    private static double[] Multiply(float[] matrix, double[] vector) =>
        [
            .. Enumerable.Range(0, matrix.Length / vector.Length)
                .Select(row => Row(matrix, row, vector.Length).Zip(vector, (weight, number) => weight * number).Sum()),
        ];

    private static double[] Row(float[] matrix, int row, int length) =>
        Array.ConvertAll(matrix[(row * length)..((row + 1) * length)], weight => (double)weight);

    private static double[] Sum(double[] left, double[] right) => [.. left.Zip(right, (one, other) => one + other)];
}
