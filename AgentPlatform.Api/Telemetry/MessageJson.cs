using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using AgentPlatform.Inference.Json;

namespace AgentPlatform.Api.Telemetry;

/// <summary>
/// Messages in the shape of OpenTelemetry's conventions:
/// <c>[{"role":"assistant","parts":[{"type":"text","content":"Hi"}],"finish_reason":"stop"}]</c>,
/// https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-input-messages.json
/// </summary>
internal static class MessageJson
{
    private static readonly JsonWriterOptions _relaxed = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>An array, as a span's attribute has it.</summary>
    public static string Write(Action<Utf8JsonWriter> writeItems)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer, _relaxed))
        {
            json.WriteStartArray();
            writeItems(json);
            json.WriteEndArray();
        }

        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    /// <summary>Writes a message.</summary>
    public static void WriteMessage(Utf8JsonWriter json, string role, Action writeParts, string? finishReason = null)
    {
        json.WriteStartObject();
        json.WriteString("role"u8, role);
        json.WriteStartArray("parts"u8);
        writeParts();
        json.WriteEndArray();
        if (finishReason is not null)
        {
            json.WriteString("finish_reason"u8, finishReason == "tool_calls" ? "tool_call" : finishReason);
        }

        json.WriteEndObject();
    }

    /// <summary>Writes a part of text.</summary>
    public static void WriteText(Utf8JsonWriter json, string text, ReadOnlySpan<byte> type)
    {
        json.WriteStartObject();
        json.WriteString("type"u8, type);
        json.WriteString("content"u8, text);
        json.WriteEndObject();
    }

    /// <summary>Writes a part of text.</summary>
    public static void WriteText(Utf8JsonWriter json, JsonElement text, ReadOnlySpan<byte> type)
    {
        json.WriteStartObject();
        json.WriteString("type"u8, type);
        json.WritePropertyName("content"u8);
        WriteValue(json, text);
        json.WriteEndObject();
    }

    /// <summary>Writes a part of plain text.</summary>
    public static void WriteText(Utf8JsonWriter json, JsonElement text) => WriteText(json, text, "text"u8);

    /// <summary>Writes a call of a tool; OpenAI has the arguments as JSON in a string, which a model need not have got right.</summary>
    public static void WriteToolCall(Utf8JsonWriter json, string? id, string? name, string? arguments)
    {
        json.WriteStartObject();
        json.WriteString("type"u8, "tool_call"u8);
        json.WriteString("id"u8, id);
        json.WriteString("name"u8, name);
        json.WritePropertyName("arguments"u8);
        try
        {
            using var document = JsonDocument.Parse(arguments ?? "", JsonLimits.Document);
            document.RootElement.WriteTo(json);
        }
        catch (JsonException)
        {
            json.WriteStringValue(arguments);
        }

        json.WriteEndObject();
    }

    /// <summary>Writes a value, or null where there is none.</summary>
    public static void WriteValue(Utf8JsonWriter json, JsonElement value)
    {
        if (value.ValueKind == JsonValueKind.Undefined)
        {
            json.WriteNullValue();
        }
        else
        {
            value.WriteTo(json);
        }
    }

    /// <summary>The member's text; null if there is no such text.</summary>
    public static string? TextOf(JsonElement parent, ReadOnlySpan<byte> member) =>
        parent.TryGetProperty(member, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}
