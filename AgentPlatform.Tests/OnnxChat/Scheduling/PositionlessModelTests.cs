using AgentPlatform.OnnxChat.Sampling;
using AgentPlatform.OnnxChat.Scheduling;
using AgentPlatform.Testing.OnnxChat;
using AgentPlatform.Training.Onnx;

namespace AgentPlatform.Tests.OnnxChat.Scheduling;

/// <summary>A graph that takes no positions, and tells tokens apart by how many slots there are: none may be unused.</summary>
public sealed class PositionlessModelTests : IDisposable
{
    private const int Vocabulary = 300;
    private const int Width = 4;

    private readonly float[] _embedding = Numbers(1);
    private readonly float[] _unembedding = Numbers(2);
    private readonly RunningModel _running;

    public PositionlessModelTests()
    {
        var files = new RandomChatModel();
        files.Write("model.onnx", Graph());
        _running = new RunningModel(files);
    }

    public void Dispose() => _running.Dispose();

    [Fact]
    public async Task Answers_of_any_lengths_at_once_are_what_the_definition_says()
    {
        Assert.False(_running.Model.Decoder.Layout.TakesPositions);
        var prompts = Enumerable.Range(0, 6).Select(index => RunningModel.Prompt(index, 3 + (index * 61 % 200))).ToList();
        var settings = new ChatSettings { Sampling = new SamplingSettings { PresencePenalty = 1 }, MaxTokens = 20 };
        var answers = prompts.ConvertAll(prompt => RunningModel.TokensAsync(_running.Start(prompt, settings)));
        for (var index = 0; index < prompts.Count; index++)
        {
            Assert.Equal(Expected(prompts[index], 20), await answers[index]);
        }
    }

    // Each token's logits are a matrix times the mean of all embeddings up to it.
    private byte[] Graph() => new OnnxGraph("mean")
        .Input("input_ids", OnnxType.Int64, "batch", "new")
        .Input("attention_mask", OnnxType.Int64, "batch", "all")
        .Input("past_key_values.0.key", OnnxType.Float, "batch", 1, "past", Width)
        .Input("past_key_values.0.value", OnnxType.Float, "batch", 1, "past", Width)
        .Output("logits", OnnxType.Float, "batch", "new", Vocabulary)
        .Output("present.0.key", OnnxType.Float, "batch", 1, "all", Width)
        .Output("present.0.value", OnnxType.Float, "batch", 1, "all", Width)
        .Constant("embedding", _embedding, Vocabulary, Width)
        .Constant("unembedding", _unembedding, Width, Vocabulary)
        .Constant("head_axis", [1L])
        .Constant("nothing", [0f], 1)
        .Node("Gather", ["embedding", "input_ids"], "embedded")
        .Node("Unsqueeze", ["embedded", "head_axis"], "new_keys")
        .Node("Concat", ["past_key_values.0.key", "new_keys"], "present.0.key", ("axis", 2))
        .Node("Concat", ["past_key_values.0.value", "new_keys"], "present.0.value", ("axis", 2))
        .Node("ReduceMean", ["present.0.key"], "mean", ("axes", new long[] { 2 }), ("keepdims", 0))
        .Node("Mul", ["embedded", "nothing"], "zeros")
        .Node("Add", ["zeros", "mean"], "states")
        .Node("MatMul", ["states", "unembedding"], "logits")
        .ToBytes();

    private List<int> Expected(int[] prompt, int count)
    {
        List<int> tokens = [.. prompt];
        while (tokens.Count < prompt.Length + count)
        {
            var logits = Enumerable.Range(0, Vocabulary).Select(token =>
                Enumerable.Range(0, Width)
                    .Sum(at => tokens.Average(seen => _embedding[(seen * Width) + at]) * _unembedding[(at * Vocabulary) + token])
                - (tokens.Skip(prompt.Length).Contains(token) ? 1 : 0)).ToList();
            tokens.Add(logits.IndexOf(logits.Max()));
        }

        return tokens[prompt.Length..];
    }

    private static float[] Numbers(ulong seed)
    {
        var random = new SplitMix64(seed);
        return [.. Enumerable.Range(0, Vocabulary * Width).Select(place => (float)(random.UniformAt(place) * 4) - 2)];
    }
}
