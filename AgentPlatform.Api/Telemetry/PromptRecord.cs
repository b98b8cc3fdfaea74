using System.Diagnostics;
using System.Text.Json;
using AgentPlatform.Inference;
using AgentPlatform.Inference.Json;

namespace AgentPlatform.Api.Telemetry;

/// <summary>
/// Says in a span what was asked: <c>gen_ai.input.messages</c> and <c>gen_ai.tool.definitions</c>. A system message of a chat completion is
/// one of its messages, as the conventions have it; <c>gen_ai.system_instructions</c> is for APIs that take instructions apart from them.
/// </summary>
internal static class PromptRecord
{
    /// <summary>Reads OpenAI's messages and tools, or the text that is to be judged.</summary>
    public static void Tag(Activity activity, InferenceRequest request)
    {
        using var document = JsonDocument.Parse(request.Body, JsonLimits.Document);
        var body = document.RootElement;
        if (request.Operation == Operation.Analyze && body.TryGetProperty("text"u8, out var text))
        {
            activity.SetTag("gen_ai.input.messages", MessageJson.Write(
                json => MessageJson.WriteMessage(json, "user", () => MessageJson.WriteText(json, text))));
        }
        else if (body.TryGetProperty("messages"u8, out var messages) && messages.ValueKind == JsonValueKind.Array)
        {
            activity.SetTag("gen_ai.input.messages", MessageJson.Write(json => WriteMessages(json, messages)));
        }

        if (body.TryGetProperty("tools"u8, out var tools) && tools.ValueKind == JsonValueKind.Array)
        {
            activity.SetTag("gen_ai.tool.definitions", MessageJson.Write(json => WriteTools(json, tools)));
        }
    }

    private static void WriteMessages(Utf8JsonWriter json, JsonElement messages)
    {
        foreach (var message in messages.EnumerateArray())
        {
            MessageJson.WriteMessage(json, MessageJson.TextOf(message, "role"u8) ?? "user", () => WriteParts(json, message));
        }
    }

    private static void WriteParts(Utf8JsonWriter json, JsonElement message)
    {
        message.TryGetProperty("content"u8, out var content);
        if (MessageJson.TextOf(message, "role"u8) is "tool" or "function")
        {
            json.WriteStartObject();
            json.WriteString("type"u8, "tool_call_response"u8);
            json.WriteString("id"u8, MessageJson.TextOf(message, "tool_call_id"u8) ?? MessageJson.TextOf(message, "name"u8));
            json.WritePropertyName("response"u8);
            MessageJson.WriteValue(json, content);
            json.WriteEndObject();
            return;
        }

        if (message.TryGetProperty("reasoning_content"u8, out var reasoning) && reasoning.ValueKind == JsonValueKind.String)
        {
            MessageJson.WriteText(json, reasoning, "reasoning"u8);
        }

        switch (content.ValueKind)
        {
            case JsonValueKind.String:
                MessageJson.WriteText(json, content);
                break;
            case JsonValueKind.Array:
                foreach (var part in content.EnumerateArray())
                {
                    WritePart(json, part);
                }

                break;
            default:
                break; // An assistant's message of nothing but calls.
        }

        if (message.TryGetProperty("refusal"u8, out var refusal) && refusal.ValueKind == JsonValueKind.String)
        {
            MessageJson.WriteText(json, refusal);
        }

        if (message.TryGetProperty("tool_calls"u8, out var calls) && calls.ValueKind == JsonValueKind.Array)
        {
            foreach (var call in calls.EnumerateArray())
            {
                if (call.TryGetProperty("function"u8, out var function))
                {
                    MessageJson.WriteToolCall(
                        json, MessageJson.TextOf(call, "id"u8), MessageJson.TextOf(function, "name"u8),
                        MessageJson.TextOf(function, "arguments"u8));
                }
            }
        }
    }

    private static void WritePart(Utf8JsonWriter json, JsonElement part)
    {
        switch (MessageJson.TextOf(part, "type"u8))
        {
            case "text" when part.TryGetProperty("text"u8, out var text):
                MessageJson.WriteText(json, text);
                break;
            case "image_url" when part.TryGetProperty("image_url"u8, out var image) && MessageJson.TextOf(image, "url"u8) is { } address:
                WriteImage(json, address);
                break;
            default:
                part.WriteTo(json); // Kinds that the conventions have no name for are written as they are.
                break;
        }
    }

    // https://example.org/cat.png, or data:image/png;base64,iVBORw0KGgo=
    private static void WriteImage(Utf8JsonWriter json, string address)
    {
        json.WriteStartObject();
        var comma = address.IndexOf(',', StringComparison.Ordinal);
        if (address.StartsWith("data:", StringComparison.OrdinalIgnoreCase) && comma > 0)
        {
            json.WriteString("type"u8, "blob"u8);
            json.WriteString("mime_type"u8, address[5..comma].Split(';')[0]);
            json.WriteString("content"u8, address.AsSpan(comma + 1));
        }
        else
        {
            json.WriteString("type"u8, "uri"u8);
            json.WriteString("uri"u8, address);
        }

        json.WriteString("modality"u8, "image"u8);
        json.WriteEndObject();
    }

    // {"type":"function","function":{"name":"weather","parameters":{...}}} becomes {"type":"function","name":"weather","parameters":{...}}
    private static void WriteTools(Utf8JsonWriter json, JsonElement tools)
    {
        foreach (var tool in tools.EnumerateArray())
        {
            if (!tool.TryGetProperty("function"u8, out var function) || function.ValueKind != JsonValueKind.Object)
            {
                tool.WriteTo(json);
                continue;
            }

            json.WriteStartObject();
            json.WriteString("type"u8, "function"u8);
            foreach (var member in function.EnumerateObject())
            {
                member.WriteTo(json);
            }

            json.WriteEndObject();
        }
    }
}
