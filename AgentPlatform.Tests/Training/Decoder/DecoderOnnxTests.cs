using AgentPlatform.Training.Decoder;
using Microsoft.ML.OnnxRuntime;

namespace AgentPlatform.Tests.Training.Decoder;

public class DecoderOnnxTests
{
    private static readonly DecoderShape Shape = new(Vocabulary: 50, Layers: 2, Width: 24, Heads: 6, KeyValueHeads: 2, HeadSize: 8, Hidden: 40, Context: 64);
    private static readonly DecoderWeights Weights = DecoderWeights.Random(Shape, seed: 7);
    private static readonly int[] Tokens = [3, 49, 0, 17, 17, 5, 21, 8, 30, 2, 44];

    private static readonly InferenceSession Session = new(DecoderOnnx.Write(Shape, Weights));

    [Fact]
    public void Prompt_InOneRun_HasTheLogitsOfTheDefinition()
    {
        var (logits, _) = Run([Tokens], Mask(1, Tokens.Length), [[.. Enumerable.Range(0, Tokens.Length)]], past: null);

        Close(new ReferenceDecoder(Shape, Weights).Logits(Tokens), logits[0]);
    }

    [Fact]
    public void Prompt_TokenByTokenOverThePast_HasTheLogitsOfTheDefinition()
    {
        float[][]? past = null;
        var rows = new List<float[]>();
        for (var position = 0; position < Tokens.Length; position++)
        {
            (var logits, past) = Run([[Tokens[position]]], Mask(1, position + 1), [[position]], past);
            rows.Add(logits[0][0]);
        }

        Close(new ReferenceDecoder(Shape, Weights).Logits(Tokens), [.. rows]);
    }

    [Fact]
    public void Batch_WithUnusedSlotsBeforeAndBetween_SeesOnlyWhatTheMaskLeaves()
    {
        // Row 0 is padded on the left by three slots; row 1 has its unused slots in the middle, as a past with spare room has.
        int[][] tokens = [[0, 0, 0, .. Tokens[..8]], [.. Tokens[..4], 0, 0, 0, .. Tokens[4..8]]];
        int[][] positions = [[0, 0, 0, .. Enumerable.Range(0, 8)], [0, 1, 2, 3, 0, 0, 0, 4, 5, 6, 7]];
        var mask = positions.SelectMany((row, index) => row.Select((_, slot) => slot >= (index == 0 ? 0 : 4) && slot < (index == 0 ? 3 : 7) ? 0L : 1L)).ToArray();

        var (logits, _) = Run(tokens, mask, positions, past: null);

        var expected = new ReferenceDecoder(Shape, Weights).Logits(Tokens[..8]);
        Close(expected, logits[0][3..]);
        Close(expected, [.. logits[1][..4], .. logits[1][7..]]);
        Assert.All(logits.SelectMany(row => row).SelectMany(row => row), logit => Assert.True(float.IsFinite(logit)));
    }

    [Fact]
    public void Parameters_CountsEveryWeight()
    {
        var layers = Weights.Layers.SelectMany(layer => (float[][])
            [layer.AttentionNorm, layer.Query, layer.Key, layer.Value, layer.Output, layer.FeedForwardNorm, layer.Gate, layer.Up, layer.Down]);

        Assert.Equal(layers.Append(Weights.Embedding).Append(Weights.FinalNorm).Sum(matrix => matrix.LongLength), Shape.Parameters);
    }

    private static long[] Mask(int rows, int slots) => [.. Enumerable.Repeat(1L, rows * slots)];

    private static void Close(double[][] expected, float[][] actual)
    {
        Assert.Equal(expected.Length, actual.Length);
        foreach (var (one, other) in expected.Zip(actual))
        {
            Assert.Equal(one.Length, other.Length);
            Assert.All(one.Zip(other), pair => Assert.Equal(pair.First, pair.Second, tolerance: 1e-4));
        }
    }

    private static (float[][][] Logits, float[][] Present) Run(int[][] tokens, long[] mask, int[][] positions, float[][]? past)
    {
        var (batch, count) = (tokens.Length, tokens[0].Length);
        var slots = mask.Length / batch;
        Dictionary<string, OrtValue> inputs = new()
        {
            ["input_ids"] = Longs(tokens.SelectMany(row => row).Select(token => (long)token), batch, count),
            ["attention_mask"] = Longs(mask, batch, slots),
            ["position_ids"] = Longs(positions.SelectMany(row => row).Select(position => (long)position), batch, count),
        };
        string[] parts = [.. Enumerable.Range(0, Shape.Layers).SelectMany(layer => (string[])[$"{layer}.key", $"{layer}.value"])];
        foreach (var (index, part) in parts.Index())
        {
            inputs[$"past_key_values.{part}"] = OrtValue.CreateTensorValueFromMemory(
                past?[index] ?? [], [batch, Shape.KeyValueHeads, slots - count, Shape.HeadSize]);
        }

        using var options = new RunOptions();
        using var outputs = Session.Run(options, inputs, ["logits", .. parts.Select(part => $"present.{part}")]);
        var logits = outputs[0].GetTensorDataAsSpan<float>().ToArray().Chunk(Shape.Vocabulary).Chunk(count).ToArray();
        float[][] present = [.. outputs.Skip(1).Select(output => output.GetTensorDataAsSpan<float>().ToArray())];
        foreach (var input in inputs.Values)
        {
            input.Dispose();
        }

        return (logits, present);
    }

    private static OrtValue Longs(IEnumerable<long> values, params long[] shape) => OrtValue.CreateTensorValueFromMemory(values.ToArray(), shape);
}
