using AgentPlatform.Training.Decoder;
using Microsoft.ML.OnnxRuntime;

namespace AgentPlatform.Training.TinyChat;

/// <summary>
/// Continues prompts with the most probable token each time, in ONNX Runtime from a written model: how the figures are measured.
/// </summary>
internal sealed class GreedyDecoder(byte[] model, DecoderShape shape, int end) : IDisposable
{
    private const int Batch = 32;

    private readonly InferenceSession _session = new(model, new SessionOptions { IntraOpNumThreads = 2 });

    /// <summary>The tokens of each answer, without the one that ends it.</summary>
    public List<List<int>> Continue(IReadOnlyList<List<int>> prompts, int maxTokens)
    {
        var answers = prompts.Select(_ => new List<int>()).ToList();
        foreach (var rows in Enumerable.Range(0, prompts.Count).OrderBy(index => prompts[index].Count).Chunk(Batch))
        {
            Continue(rows.Select(row => prompts[row]).ToArray(), rows.Select(row => answers[row]).ToArray(), maxTokens);
        }

        return answers;
    }

    public void Dispose() => _session.Dispose();

    private void Continue(List<int>[] prompts, List<int>[] answers, int maxTokens)
    {
        var (rows, width) = (prompts.Length, prompts.Max(prompt => prompt.Count));
        string[] parts = [.. Enumerable.Range(0, shape.Layers).SelectMany(layer => (string[])[$"{layer}.key", $"{layer}.value"])];
        string[] outputNames = ["logits", .. parts.Select(part => $"present.{part}")];

        // Shorter prompts are padded on the left; the mask hides the padding and the positions begin after it.
        var ids = prompts.SelectMany(prompt => Enumerable.Repeat(0L, width - prompt.Count).Concat(prompt.Select(token => (long)token)))
            .ToArray();
        var positions = prompts.SelectMany(prompt => Enumerable.Range(0, width)
            .Select(index => Math.Max(0L, index - (width - prompt.Count)))).ToArray();
        var masks = Array.ConvertAll(
            prompts, prompt => Enumerable.Range(0, width).Select(index => index < width - prompt.Count ? 0L : 1L).ToList());
        var past = Array.ConvertAll(
            parts, _ => OrtValue.CreateTensorValueFromMemory(Array.Empty<float>(), [rows, shape.KeyValueHeads, 0, shape.HeadSize]));
        var running = Enumerable.Range(0, rows).ToHashSet();
        using var options = new RunOptions();
        for (var length = width; running.Count > 0 && length < Math.Min(width + maxTokens, shape.Context); length++)
        {
            using var input = OrtValue.CreateTensorValueFromMemory(ids, [rows, ids.Length / rows]);
            using var mask = OrtValue.CreateTensorValueFromMemory(masks.SelectMany(row => row).ToArray(), [rows, length]);
            using var position = OrtValue.CreateTensorValueFromMemory(positions, [rows, ids.Length / rows]);
            Dictionary<string, OrtValue> inputs = new() { ["input_ids"] = input, ["attention_mask"] = mask, ["position_ids"] = position };
            for (var part = 0; part < parts.Length; part++)
            {
                inputs[$"past_key_values.{parts[part]}"] = past[part];
            }

            var outputs = _session.Run(options, inputs, outputNames);
            Array.ForEach(past, each => each.Dispose());
            using var logits = outputs[0];
            past = [.. outputs.Skip(1)];
            var next = new long[rows];
            for (var row = 0; row < rows; row++)
            {
                var last = (((row + 1) * (ids.Length / rows)) - 1) * shape.Vocabulary;
                next[row] = Best(logits.GetTensorDataAsSpan<float>().Slice(last, shape.Vocabulary));
                if (next[row] == end)
                {
                    running.Remove(row);
                }
                else if (running.Contains(row))
                {
                    answers[row].Add((int)next[row]);
                }

                masks[row].Add(1);
            }

            (ids, positions) = (next, Array.ConvertAll(masks, row => row.Sum() - 1));
        }

        Array.ForEach(past, each => each.Dispose());
    }

    private static int Best(ReadOnlySpan<float> logits)
    {
        var best = 0;
        for (var token = 1; token < logits.Length; token++)
        {
            best = logits[token] > logits[best] ? token : best;
        }

        return best;
    }
}
