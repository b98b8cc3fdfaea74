using System.Text.Json;
using AgentPlatform.Inference;
using AgentPlatform.Inference.Json;
using AgentPlatform.Inference.OpenAI;

namespace AgentPlatform.Worker.Engines.Triton;

/// <summary>A piece of a generated text.</summary>
/// <param name="Text">What is new in it.</param>
/// <param name="FinishReason">Why the text ends; null while it does not, or if the server does not say.</param>
/// <param name="InputTokens">How many tokens the prompt has, if the server says.</param>
/// <param name="OutputTokens">How many tokens the piece has, if the server says.</param>
internal readonly record struct TritonPiece(string Text, string? FinishReason = null, long? InputTokens = null, long? OutputTokens = null)
{
    /// <summary>
    /// Reads an event of <c>generate_stream</c>:
    /// <c>{"model_name":"m","model_version":"1","text_output":"Hi","finish_reason":"stop","num_output_tokens":1}</c>.
    /// A tensor with several values is an array.
    /// </summary>
    /// <exception cref="UpstreamException">It is an error, <c>{"error":"…"}</c>.</exception>
    /// <exception cref="InferenceException">502: it is none of both.</exception>
    public static TritonPiece Read(ReadOnlySpan<byte> json, string output)
    {
        try
        {
            var reader = new Utf8JsonReader(json, JsonLimits.Reader);
            using var document = JsonDocument.ParseValue(ref reader);
            var root = document.RootElement;
            if (root.TryGetProperty("error", out _))
            {
                throw new UpstreamException(UpstreamMessage.Parse(json));
            }

            var text = root.GetProperty(output);
            return new TritonPiece(
                text.ValueKind == JsonValueKind.Array
                    ? string.Concat(text.EnumerateArray().Select(static part => part.GetString()))
                    : text.GetString() ?? "",
                ReasonOf(root), Number(root, "num_input_tokens"), Number(root, "num_output_tokens"));
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException)
        {
            throw new InferenceException(InferenceError.EngineFailed($"The model's server sent an event without the text '{output}'."), e);
        }
    }

    private static string? ReasonOf(JsonElement root)
    {
        var said = First(root, "finish_reason") is { ValueKind: JsonValueKind.String } reason ? reason.GetString() : null;
        return said is "stop" or "length" ? said : null;
    }

    private static long? Number(JsonElement root, string name) =>
        First(root, name) is { ValueKind: JsonValueKind.Number } value && value.TryGetInt64(out var number) ? number : null;

    private static JsonElement? First(JsonElement root, string name)
    {
        if (!root.TryGetProperty(name, out var value))
        {
            return null;
        }

        return value.ValueKind != JsonValueKind.Array ? value : value.GetArrayLength() > 0 ? value[0] : null;
    }
}
