using System.Diagnostics;
using System.Text.Json;
using AgentPlatform.Inference.Json;

namespace AgentPlatform.Api.Telemetry;

/// <summary>Says in a span how a chat completion was asked for, and nothing of what was asked.</summary>
internal static class RequestSettings
{
    /// <summary>Reads the members of OpenAI's request that OpenTelemetry has names for.</summary>
    /// <param name="activity">The span.</param>
    /// <param name="body">The request.</param>
    public static void Tag(Activity activity, ReadOnlySpan<byte> body)
    {
        var reader = new Utf8JsonReader(body, JsonLimits.Reader);
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var tag = TagOf(ref reader);
            reader.Read();
            switch (tag)
            {
                case null:
                    break;
                case "gen_ai.request.stop_sequences":
                    activity.SetTag(tag, ReadTexts(ref reader));
                    break;
                case "gen_ai.output.type":
                    activity.SetTag(tag, ReadOutputType(ref reader));
                    break;
                case "gen_ai.request.choice.count":
                    activity.SetTag(tag, ReadNumber(ref reader) is not 1 and { } count ? count : null);
                    break;
                case "gen_ai.request.max_tokens" or "gen_ai.request.seed" or "gen_ai.request.top_k":
                    activity.SetTag(tag, ReadNumber(ref reader));
                    break;
                default:
                    activity.SetTag(tag, reader.TokenType == JsonTokenType.Number ? reader.GetDouble() : null);
                    break;
            }

            reader.Skip();
        }
    }

    private static string? TagOf(ref Utf8JsonReader reader) =>
        reader.ValueTextEquals("max_tokens"u8) || reader.ValueTextEquals("max_completion_tokens"u8) ? "gen_ai.request.max_tokens"
        : reader.ValueTextEquals("temperature"u8) ? "gen_ai.request.temperature"
        : reader.ValueTextEquals("top_p"u8) ? "gen_ai.request.top_p"
        : reader.ValueTextEquals("top_k"u8) ? "gen_ai.request.top_k"
        : reader.ValueTextEquals("frequency_penalty"u8) ? "gen_ai.request.frequency_penalty"
        : reader.ValueTextEquals("presence_penalty"u8) ? "gen_ai.request.presence_penalty"
        : reader.ValueTextEquals("seed"u8) ? "gen_ai.request.seed"
        : reader.ValueTextEquals("n"u8) ? "gen_ai.request.choice.count"
        : reader.ValueTextEquals("stop"u8) ? "gen_ai.request.stop_sequences"
        : reader.ValueTextEquals("response_format"u8) ? "gen_ai.output.type"
        : null;

    private static long? ReadNumber(ref Utf8JsonReader reader) =>
        reader.TokenType == JsonTokenType.Number && reader.TryGetInt64(out var number) ? number : null;

    // "stop" or ["stop","halt"]
    private static string[]? ReadTexts(ref Utf8JsonReader reader)
    {
        if (reader.TokenType == JsonTokenType.String)
        {
            return [reader.GetString()!];
        }

        if (reader.TokenType != JsonTokenType.StartArray)
        {
            return null;
        }

        var texts = new List<string>();
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            if (reader.TokenType == JsonTokenType.String)
            {
                texts.Add(reader.GetString()!);
            }

            reader.Skip();
        }

        return [.. texts];
    }

    // {"type":"json_schema","json_schema":{...}}
    private static string? ReadOutputType(ref Utf8JsonReader reader)
    {
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            return null;
        }

        string? type = null;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var isType = reader.ValueTextEquals("type"u8);
            reader.Read();
            if (isType && reader.TokenType == JsonTokenType.String)
            {
                type = reader.ValueTextEquals("text"u8) ? "text"
                    : reader.ValueTextEquals("json_object"u8) || reader.ValueTextEquals("json_schema"u8) ? "json" : null;
            }

            reader.Skip();
        }

        return type;
    }
}
