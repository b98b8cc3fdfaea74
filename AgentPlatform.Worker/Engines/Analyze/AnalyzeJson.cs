using System.Buffers;
using System.Text.Json;
using AgentPlatform.Inference;
using AgentPlatform.Inference.Json;

namespace AgentPlatform.Worker.Engines.Analyze;

/// <summary>Requests and answers of classifiers.</summary>
internal static class AnalyzeJson
{
    /// <summary>The text of <c>{"text":"…"}</c>.</summary>
    /// <exception cref="InferenceException">400: there is none.</exception>
    public static string ReadText(ReadOnlyMemory<byte> body)
    {
        using var document = JsonDocument.Parse(body, JsonLimits.Document);
        return document.RootElement.TryGetProperty("text", out var text) && text.ValueKind == JsonValueKind.String
            ? text.GetString()!
            : throw new InferenceException(InferenceError.Invalid("The request has no text.", "text"));
    }

    /// <summary>The answer <c>{"sentiment":"Positive","confidence":0.93}</c>.</summary>
    public static ReplyPart Write(Classification classification)
    {
        var answer = new ArrayBufferWriter<byte>(64);
        using (var json = new Utf8JsonWriter(answer))
        {
            json.WriteStartObject();
            json.WriteString("sentiment"u8, classification.Label);
            json.WriteNumber("confidence"u8, classification.Confidence);
            json.WriteEndObject();
        }

        return new ReplyPart(ReplyKind.Result, answer.WrittenMemory);
    }
}
