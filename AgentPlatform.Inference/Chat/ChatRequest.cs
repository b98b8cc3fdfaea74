using System.Text.Json;
using AgentPlatform.Inference.Json;

namespace AgentPlatform.Inference.Chat;

/// <summary>What this surface needs to know of a chat-completions request; everything else stays in its body.</summary>
/// <param name="Model">The model asked for; null if none is named.</param>
/// <param name="Stream">Whether the answer is to be streamed.</param>
/// <param name="IncludeUsage">Whether the stream is to end with a chunk of usage.</param>
public readonly record struct ChatRequest(string? Model, bool Stream, bool IncludeUsage)
{
    private const int MaxStops = 4;

    /// <summary>Reads and validates a request; fields that are not listed here are nobody's business but the engine's.</summary>
    /// <param name="json">One JSON value, checked by <see cref="JsonBody"/>.</param>
    /// <param name="limits">How much of what it may hold.</param>
    /// <exception cref="InferenceException">400, naming the field at fault.</exception>
    public static ChatRequest Read(ReadOnlySpan<byte> json, RequestLimits limits)
    {
        var reader = new Utf8JsonReader(json, JsonLimits.Reader);
        reader.Read();
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            throw new InferenceException(InferenceError.Invalid("The request must be a JSON object."));
        }

        var request = default(ChatRequest);
        var hasMessages = false;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var field = reader.GetString()!;
            reader.Read();

            // As if it were not there: what stands before it under the same name does not count either.
            var isNull = reader.TokenType == JsonTokenType.Null;
            switch (field)
            {
                case "model" when isNull:
                    request = request with { Model = null };
                    break;
                case "stream" when isNull:
                    request = request with { Stream = false };
                    break;
                case "stream_options" when isNull:
                    request = request with { IncludeUsage = false };
                    break;
                case "model":
                    request = request with { Model = JsonField.ReadString(ref reader, field) is { Length: > 0 } model
                        ? model
                        : throw JsonField.Missing(field) };
                    break;
                case "messages":
                    ChatMessages.Check(ref reader, limits);
                    hasMessages = true;
                    break;
                case "stream":
                    request = request with { Stream = JsonField.ReadBoolean(ref reader, field) };
                    break;
                case "stream_options":
                    request = request with { IncludeUsage = ReadStreamOptions(ref reader) };
                    break;
                case var _ when isNull:
                    break;
                default:
                    CheckParameter(ref reader, field, limits);
                    break;
            }
        }

        if (!hasMessages)
        {
            throw JsonField.Missing("messages");
        }

        return !request.IncludeUsage || request.Stream
            ? request
            : throw new InferenceException(InferenceError.Invalid("'stream_options' is only allowed when 'stream' is true.",
                "stream_options"));
    }

    private static void CheckParameter(ref Utf8JsonReader reader, string field, RequestLimits limits)
    {
        switch (field)
        {
            case "n":
                JsonField.CheckInteger(ref reader, field, 1, 128);
                break;
            case "max_tokens" or "max_completion_tokens":
                JsonField.CheckInteger(ref reader, field, 1, int.MaxValue);
                break;
            case "seed":
                JsonField.CheckInteger(ref reader, field, long.MinValue, long.MaxValue);
                break;
            case "top_logprobs":
                JsonField.CheckInteger(ref reader, field, 0, 20);
                break;
            case "temperature":
                JsonField.CheckNumber(ref reader, field, 0, 2);
                break;
            case "top_p":
                JsonField.CheckNumber(ref reader, field, 0, 1);
                break;
            case "presence_penalty" or "frequency_penalty":
                JsonField.CheckNumber(ref reader, field, -2, 2);
                break;
            case "logprobs" or "parallel_tool_calls":
                JsonField.ReadBoolean(ref reader, field);
                break;
            case "stop":
                CheckStop(ref reader, limits.MaxStopSize);
                break;
            case "tools" or "functions":
                JsonField.CountObjects(ref reader, field, limits.MaxTools);
                break;
            case "response_format" or "logit_bias" or "metadata":
                JsonField.SkipObject(ref reader, field);
                break;
            case "user":
                JsonField.ReadString(ref reader, field);
                break;
            default:
                reader.Skip();
                break;
        }
    }

    private static void CheckStop(ref Utf8JsonReader reader, int maxSize)
    {
        if (reader.TokenType == JsonTokenType.String)
        {
            JsonField.RequireAtMost(reader.ValueSpan.Length, maxSize, "stop", "bytes");
            return;
        }

        if (reader.TokenType != JsonTokenType.StartArray)
        {
            throw JsonField.Wrong("stop", "a string or an array of strings");
        }

        var count = 0;
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            if (reader.TokenType != JsonTokenType.String)
            {
                throw JsonField.Wrong($"stop[{count}]", "a string");
            }

            JsonField.RequireAtMost(reader.ValueSpan.Length, maxSize, $"stop[{count}]", "bytes");
            JsonField.RequireAtMost(++count, MaxStops, "stop", "strings");
        }
    }

    private static bool ReadStreamOptions(ref Utf8JsonReader reader)
    {
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            throw JsonField.Wrong("stream_options", "an object");
        }

        var includeUsage = false;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var isUsage = reader.ValueTextEquals("include_usage"u8);
            reader.Read();
            if (isUsage)
            {
                includeUsage = reader.TokenType != JsonTokenType.Null && JsonField.ReadBoolean(ref reader, "stream_options.include_usage");
            }
            else
            {
                reader.Skip();
            }
        }

        return includeUsage;
    }
}
