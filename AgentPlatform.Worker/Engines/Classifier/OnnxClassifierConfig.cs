using System.Text.Json;
using System.Text.Json.Serialization;

namespace AgentPlatform.Worker.Engines.Classifier;

/// <summary>
/// The <c>config.json</c> beside a classifier's <c>model.onnx</c>:
/// <c>{"id2label":{"0":"Negative","1":"Neutral","2":"Positive"},"temperature":1.1,"encoder":{"buckets":32768,"maxWords":128}}</c>.
/// </summary>
internal sealed record OnnxClassifierConfig
{
    /// <summary>The label of each of the model's outputs, by its index.</summary>
    [JsonRequired, JsonPropertyName("id2label")]
    public required SortedDictionary<int, string> Labels { get; init; }

    /// <summary>Logits are divided by it before the softmax, so that confidences mean what they say.</summary>
    public float Temperature { get; set; } = 1;

    public TextFeatureOptions Encoder { get; set; } = new();

    /// <summary>Reads and checks <paramref name="path"/>.</summary>
    /// <exception cref="InvalidDataException">The file is not there or wrong; the message names it.</exception>
    public static OnnxClassifierConfig Read(string path)
    {
        OnnxClassifierConfig config;
        try
        {
            using var stream = File.OpenRead(path);
            config = JsonSerializer.Deserialize(stream, OnnxClassifierJson.Default.OnnxClassifierConfig)
                ?? throw new JsonException("it is null.");
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or JsonException)
        {
            throw new InvalidDataException($"The classifier's settings {path} cannot be read: {exception.Message}", exception);
        }

        return config.Mistake() is { } mistake
            ? throw new InvalidDataException($"The classifier's settings {path} are wrong: {mistake}")
            : config;
    }

    private string? Mistake()
    {
        if (Labels is not { Count: >= 2 } || !Labels.Keys.SequenceEqual(Enumerable.Range(0, Labels.Count)))
        {
            return "id2label must name a label for each output, numbered 0, 1, 2 and so on without a gap.";
        }

        if (Labels.Values.Any(string.IsNullOrWhiteSpace) || Labels.Values.Distinct(StringComparer.Ordinal).Count() < Labels.Count)
        {
            return "the labels of id2label must be different and not empty.";
        }

        if (!float.IsFinite(Temperature) || Temperature <= 0)
        {
            return "temperature must be above 0.";
        }

        // These come with the model and not from configuration, so the options validation of the host does not see them.
        return Encoder is null or { Buckets: < 2 or > 1 << 24 } or { MaxWords: < 2 or > 4096 } or { NegationScope: < 0 or > 16 }
            or { CharacterGram: < 0 or > 8 }
            ? "a setting of encoder is out of range." : null;
    }
}

[JsonSourceGenerationOptions(
    JsonSerializerDefaults.Web, WriteIndented = true, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow)]
[JsonSerializable(typeof(OnnxClassifierConfig))]
internal sealed partial class OnnxClassifierJson : JsonSerializerContext;
