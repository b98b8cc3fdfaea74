using System.Text.Json;
using AgentPlatform.Training.Decoder;

namespace AgentPlatform.Testing.OnnxChat;

/// <summary>A folder with a small decoder of random weights, and all that belongs to it, as Optimum would export them.</summary>
internal sealed class RandomChatModel : IDisposable
{
    public const string Template =
        """
        {%- for message in messages %}
            {{- '<|im_start|>' + message['role'] + '\n' + message['content'] | trim + '<|im_end|>' + '\n' }}
        {%- endfor %}
        {%- if add_generation_prompt %}
            {{- '<|im_start|>assistant\n' }}
        {%- endif %}
        """;

    public const string EndMark = "<|im_end|>";

    private static readonly string[] _merges = ["h e", "l l", "he ll", "hell o", "Ġ t", "Ġt he", "i n", "Ġ a", "e r", "o n"];
    private static readonly string[] _marks = ["<|im_start|>", EndMark, "<|endoftext|>"];

    public RandomChatModel(int context = 512, ulong seed = 1, int layers = 2)
        : this(new DecoderShape(
            Vocabulary().Count + _marks.Length, layers, Width: 32, Heads: 4, KeyValueHeads: 2, HeadSize: 8, Hidden: 64, context), seed)
    {
    }

    /// <summary>A model of this shape; its table may be larger than the vocabulary.</summary>
    public RandomChatModel(DecoderShape shape, ulong seed)
    {
        var vocabulary = Vocabulary();
        Shape = shape;
        Weights = DecoderWeights.Random(Shape, seed);
        Write("model.onnx", DecoderOnnx.Write(Shape, Weights));
        Write("config.json", new
        {
            architectures = (string[])["LlamaForCausalLM"],
            max_position_embeddings = shape.Context,
            vocab_size = Shape.Vocabulary,
            agentplatform = new { caveat = "Random weights." },
        });
        Write("generation_config.json", new { eos_token_id = (int[])[vocabulary.Count + 1, vocabulary.Count + 2], do_sample = false });
        Write("tokenizer_config.json", new { chat_template = Template, eos_token = EndMark });
        Write("tokenizer.json", new
        {
            added_tokens = _marks.Select((mark, index) => new { id = vocabulary.Count + index, content = mark, special = true }),
            normalizer = (object?)null,
            pre_tokenizer = new { type = "ByteLevel", add_prefix_space = false, trim_offsets = true, use_regex = true },
            decoder = new { type = "ByteLevel" },
            model = new { type = "BPE", vocab = vocabulary, merges = _merges },
        });
    }

    public string Folder { get; } = Directory.CreateTempSubdirectory("agentplatform-chat-").FullName;

    public DecoderShape Shape { get; }

    public DecoderWeights Weights { get; }

    public string File(string name) => Path.Combine(Folder, name);

    public void Write(string name, byte[] content) => System.IO.File.WriteAllBytes(File(name), content);

    public void Write(string name, object json) => Write(name, JsonSerializer.SerializeToUtf8Bytes(json));

    public void Write(string name, string text) => System.IO.File.WriteAllText(File(name), text);

    public void Dispose() => Directory.Delete(Folder, recursive: true);

    // The 256 bytes in GPT-2's alphabet, then what the merges make.
    private static Dictionary<string, int> Vocabulary()
    {
        var others = 0;
        var tokens = Enumerable.Range(0, 256)
            .Select(value =>
                value is >= '!' and <= '~' or >= 0xA1 and <= 0xAC or >= 0xAE and <= 0xFF ? (char)value : (char)(0x100 + others++))
            .Select(character => character.ToString())
            .Concat(_merges.Select(merge => merge.Replace(" ", "", StringComparison.Ordinal)));
        return tokens.Select((token, id) => (token, id)).ToDictionary(pair => pair.token, pair => pair.id);
    }
}
