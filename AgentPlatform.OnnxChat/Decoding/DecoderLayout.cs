using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace AgentPlatform.OnnxChat.Decoding;

/// <summary>
/// What a decoder's graph takes and gives, in the layout of Hugging Face Optimum's task <c>text-generation-with-past</c>
/// (https://huggingface.co/docs/optimum-onnx): <c>input_ids</c>, <c>attention_mask</c>, <c>position_ids</c> and
/// <c>past_key_values.N.key/value</c> [batch, heads, past, head size] in, <c>logits</c> and <c>present.N.key/value</c> out.
/// </summary>
/// <param name="Layers">Number of layers.</param>
/// <param name="Heads">Key and value heads of a layer.</param>
/// <param name="HeadSize">Length of a key or a value.</param>
/// <param name="Element">What keys and values consist of: single or half precision.</param>
/// <param name="LogitElement">What logits consist of.</param>
/// <param name="Vocabulary">Number of logits.</param>
/// <param name="TakesPositions">Whether positions are given; otherwise the graph takes them from the length of the past.</param>
internal sealed record DecoderLayout(
    int Layers, int Heads, int HeadSize, TensorElementType Element, TensorElementType LogitElement, int Vocabulary, bool TakesPositions)
{
    private const string Ids = "input_ids", Mask = "attention_mask", Positions = "position_ids", Logits = "logits";

    /// <summary>Names of the inputs: tokens, mask, positions if they are taken, then key and value of each layer.</summary>
    public IReadOnlyList<string> Inputs { get; } =
        [Ids, Mask, .. TakesPositions ? [Positions] : (string[])[], .. Names("past_key_values", Layers)];

    /// <summary>Names of the outputs: logits, then key and value of each layer.</summary>
    public IReadOnlyList<string> Outputs { get; } = [Logits, .. Names("present", Layers)];

    /// <summary>Key tensors and value tensors of all layers.</summary>
    public int Tensors => 2 * Layers;

    /// <summary>Bytes of one key or value.</summary>
    public int HeadBytes => HeadSize * BytesOf(Element);

    /// <summary>Bytes of the keys, or the values, of a layer for one token.</summary>
    public int TokenBytes => Heads * HeadBytes;

    /// <summary>Bytes of a number.</summary>
    public static int BytesOf(TensorElementType type) => type == TensorElementType.Float16 ? 2 : sizeof(float);

    /// <summary>Reads the layout of a graph.</summary>
    /// <param name="session">The graph.</param>
    /// <param name="vocabulary">Number of logits where the graph leaves it open.</param>
    /// <exception cref="InvalidDataException">It has another one; the message says where it differs.</exception>
    public static DecoderLayout Read(InferenceSession session, int? vocabulary)
    {
        var layers = 0;
        while (session.InputMetadata.ContainsKey($"past_key_values.{layers}.key"))
        {
            layers++;
        }

        if (layers == 0)
        {
            throw Mistake("it has no input past_key_values.0.key; export it with the task text-generation-with-past");
        }

        var key = Require(session.InputMetadata, "past_key_values.0.key", "input");
        var logits = Require(session.OutputMetadata, Logits, "output");
        if (key.Dimensions is not [_, > 0 and var heads, _, > 0 and var headSize])
        {
            throw Mistake("past_key_values.0.key must be [batch, heads, past, head size] with a fixed number and size of heads");
        }

        var count = logits.Dimensions is [_, _, > 0 and var width] ? width : logits.Dimensions.Length == 3 ? vocabulary ?? 0 : 0;
        if (count <= 0)
        {
            throw Mistake("logits must be [batch, tokens, vocabulary]");
        }

        var layout = new DecoderLayout(
            layers, heads, headSize, FloatType(key, "past_key_values.0.key"), FloatType(logits, Logits), count,
            session.InputMetadata.ContainsKey(Positions));
        layout.Check(session);
        return layout;
    }

    private void Check(InferenceSession session)
    {
        foreach (var name in Inputs)
        {
            var input = Require(session.InputMetadata, name, "input");
            var isCache = name.StartsWith("past", StringComparison.Ordinal);
            if (isCache ? input.ElementDataType != Element || !IsCache(input) : input.ElementDataType != TensorElementType.Int64)
            {
                throw Mistake(isCache ? $"{name} is not like past_key_values.0.key" : $"{name} must be of type int64");
            }
        }

        foreach (var name in Outputs.Skip(1))
        {
            if (Require(session.OutputMetadata, name, "output").ElementDataType != Element)
            {
                throw Mistake($"{name} has another type than what becomes of it, past_key_values");
            }
        }

        if (session.InputMetadata.Keys.Except(Inputs).FirstOrDefault() is { } unknown)
        {
            throw Mistake($"it has an input {unknown}, which is not known here");
        }
    }

    private bool IsCache(NodeMetadata input) => input.Dimensions is [_, var heads, _, var size] && heads == Heads && size == HeadSize;

    private static IEnumerable<string> Names(string prefix, int layers) =>
        Enumerable.Range(0, layers).SelectMany(layer => (string[])[$"{prefix}.{layer}.key", $"{prefix}.{layer}.value"]);

    private static NodeMetadata Require(IReadOnlyDictionary<string, NodeMetadata> metadata, string name, string what) =>
        metadata.TryGetValue(name, out var node) && node.IsTensor ? node : throw Mistake($"it has no {what} {name}");

    private static TensorElementType FloatType(NodeMetadata node, string name) =>
        node.ElementDataType is TensorElementType.Float or TensorElementType.Float16
        ? node.ElementDataType : throw Mistake($"{name} must be of type float32 or float16");

    private static InvalidDataException Mistake(string what) => new($"{what}.");
}
