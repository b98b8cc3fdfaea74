using AgentPlatform.Training.Decoder;
using Microsoft.ML.OnnxRuntime;

namespace AgentPlatform.Tests.Training.Decoder;

public class DecoderOnnxTests
{
    private static readonly DecoderShape _shape = new(
        Vocabulary: 50, Layers: 2, Width: 24, Heads: 6, KeyValueHeads: 2, HeadSize: 8, Hidden: 40, Context: 64);
    private static readonly DecoderWeights _weights = DecoderWeights.Random(_shape, seed: 7);
    private static readonly int[] _tokens = [3, 49, 0, 17, 17, 5, 21, 8, 30, 2, 44];

    private static readonly InferenceSession _session = new(DecoderOnnx.Write(_shape, _weights));

    [Fact]
    public void Prompt_InOneRun_HasTheLogitsOfTheDefinition()
    {
        var (logits, _) = Run([_tokens], Mask(1, _tokens.Length), [[.. Enumerable.Range(0, _tokens.Length)]], past: null);

        Close(new ReferenceDecoder(_shape, _weights).Logits(_tokens), logits[0]);
    }

    [Fact]
    public void Prompt_TokenByTokenOverThePast_HasTheLogitsOfTheDefinition()
    {
        float[][]? past = null;
        var rows = new List<float[]>();
        for (var position = 0; position < _tokens.Length; position++)
        {
            (var logits, past) = Run([[_tokens[position]]], Mask(1, position + 1), [[position]], past);
            rows.Add(logits[0][0]);
        }

        Close(new ReferenceDecoder(_shape, _weights).Logits(_tokens), [.. rows]);
    }

    [Fact]
    public void Batch_WithUnusedSlotsBeforeAndBetween_SeesOnlyWhatTheMaskLeaves()
    {
        // Row 0 is padded on the left by three slots; row 1 has its unused slots in the middle, as a past with spare room has.
        int[][] tokens = [[0, 0, 0, .. _tokens[..8]], [.. _tokens[..4], 0, 0, 0, .. _tokens[4..8]]];
        int[][] positions = [[0, 0, 0, .. Enumerable.Range(0, 8)], [0, 1, 2, 3, 0, 0, 0, 4, 5, 6, 7]];
        var mask = positions.SelectMany(
            (row, index) => row.Select((_, slot) => slot >= (index == 0 ? 0 : 4) && slot < (index == 0 ? 3 : 7) ? 0L : 1L)).ToArray();

        var (logits, _) = Run(tokens, mask, positions, past: null);

        var expected = new ReferenceDecoder(_shape, _weights).Logits(_tokens[..8]);
        Close(expected, logits[0][3..]);
        Close(expected, [.. logits[1][..4], .. logits[1][7..]]);
        Assert.All(logits.SelectMany(row => row).SelectMany(row => row), logit => Assert.True(float.IsFinite(logit)));
    }

    [Fact]
    public void Parameters_CountsEveryWeight()
    {
        var layers = _weights.Layers.SelectMany(layer => (float[][])
            [
                layer.AttentionNorm, layer.Query, layer.Key, layer.Value, layer.Output, layer.FeedForwardNorm, layer.Gate, layer.Up,
                layer.Down,
            ]);

        Assert.Equal(layers.Append(_weights.Embedding).Append(_weights.FinalNorm).Sum(matrix => matrix.LongLength), _shape.Parameters);
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
        string[] parts = [.. Enumerable.Range(0, _shape.Layers).SelectMany(layer => (string[])[$"{layer}.key", $"{layer}.value"])];
        foreach (var (index, part) in parts.Index())
        {
            inputs[$"past_key_values.{part}"] = OrtValue.CreateTensorValueFromMemory(
                past?[index] ?? [], [batch, _shape.KeyValueHeads, slots - count, _shape.HeadSize]);
        }

        using var options = new RunOptions();
        using var outputs = _session.Run(options, inputs, ["logits", .. parts.Select(part => $"present.{part}")]);
        var logits = outputs[0].GetTensorDataAsSpan<float>().ToArray().Chunk(_shape.Vocabulary).Chunk(count).ToArray();
        float[][] present = [.. outputs.Skip(1).Select(output => output.GetTensorDataAsSpan<float>().ToArray())];
        foreach (var input in inputs.Values)
        {
            input.Dispose();
        }

        return (logits, present);
    }

    private static OrtValue Longs(IEnumerable<long> values, params long[] shape) =>
        OrtValue.CreateTensorValueFromMemory(values.ToArray(), shape);
}
