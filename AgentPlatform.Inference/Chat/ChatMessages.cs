using System.Text.Json;
using AgentPlatform.Inference.Json;

namespace AgentPlatform.Inference.Chat;

/// <summary>Validates the <c>messages</c> of a chat request: <c>[{"role":"user","content":"Hi"}]</c>.</summary>
internal static class ChatMessages
{
    /// <exception cref="InferenceException">400, naming the field at fault.</exception>
    public static void Check(ref Utf8JsonReader reader, RequestLimits limits)
    {
        if (reader.TokenType != JsonTokenType.StartArray)
        {
            throw JsonField.Wrong("messages", "an array of messages");
        }

        var count = 0;
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            JsonField.RequireAtMost(count + 1, limits.MaxMessages, "messages", "messages");
            CheckMessage(ref reader, count++, limits);
        }

        if (count == 0)
        {
            throw new InferenceException(InferenceError.Invalid("'messages' must hold at least one message.", "messages", "empty_array"));
        }
    }

    private static void CheckMessage(ref Utf8JsonReader reader, int index, RequestLimits limits)
    {
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            throw JsonField.Wrong($"messages[{index}]", "an object");
        }

        // Of a name that occurs twice the last value counts, as it does for the engines.
        string? role = null;
        var (hasContent, hasCallId) = (false, false);
        var (hasCalls, hasFunctionCall, hasAudio, hasRefusal) = (false, false, false, false);
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var field = reader.GetString()!;
            reader.Read();
            switch (field)
            {
                case "role":
                    role = JsonField.ReadString(ref reader, $"messages[{index}].role");
                    break;
                case "content":
                    hasContent = CheckContent(ref reader, index, limits);
                    break;
                case "tool_calls":
                    hasCalls = CheckOther(ref reader, index, field, limits);
                    break;
                case "function_call":
                    hasFunctionCall = CheckOther(ref reader, index, field, limits);
                    break;
                case "audio":
                    hasAudio = CheckOther(ref reader, index, field, limits);
                    break;
                case "refusal":
                    hasRefusal = CheckOther(ref reader, index, field, limits);
                    break;
                case "tool_call_id":
                    JsonField.ReadString(ref reader, $"messages[{index}].tool_call_id");
                    hasCallId = true;
                    break;
                case "name" when reader.TokenType != JsonTokenType.Null:
                    JsonField.ReadString(ref reader, $"messages[{index}].name");
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }

        CheckWhole(index, role, hasContent, hasCalls || hasFunctionCall || hasAudio || hasRefusal, hasCallId);
    }

    /// <summary>Whether a member that may stand for content does; null and no calls at all do not.</summary>
    private static bool CheckOther(ref Utf8JsonReader reader, int index, string field, RequestLimits limits)
    {
        var name = $"messages[{index}].{field}";
        switch (field)
        {
            case var _ when reader.TokenType == JsonTokenType.Null:
                return false;
            case "tool_calls":
                return JsonField.CountObjects(ref reader, name, limits.MaxToolCalls) > 0;
            case "refusal":
                JsonField.ReadString(ref reader, name);
                return true;
            default:
                JsonField.SkipObject(ref reader, name);
                return true;
        }
    }

    private static void CheckWhole(int index, string? role, bool hasContent, bool hasOther, bool hasCallId)
    {
        switch (role)
        {
            case null:
                throw JsonField.Missing($"messages[{index}].role");
            case "assistant":
                hasContent |= hasOther;
                break;
            case "function":
                hasContent = true; // May be null: the function returned nothing.
                break;
            case "tool" when !hasCallId:
                throw JsonField.Missing($"messages[{index}].tool_call_id");
            case "system" or "developer" or "user" or "tool":
                break;
            default:
                throw new InferenceException(InferenceError.Invalid(
                    $"'messages[{index}].role' must be one of system, developer, user, assistant, tool, function.",
                    $"messages[{index}].role", "invalid_value"));
        }

        if (!hasContent)
        {
            throw JsonField.Missing($"messages[{index}].content");
        }
    }

    private static bool CheckContent(ref Utf8JsonReader reader, int index, RequestLimits limits)
    {
        switch (reader.TokenType)
        {
            case JsonTokenType.Null:
                return false;
            case JsonTokenType.String:
                return true;
            case JsonTokenType.StartArray:
                break;
            default:
                throw JsonField.Wrong($"messages[{index}].content", "a string or an array of parts");
        }

        var count = 0;
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            JsonField.RequireAtMost(count + 1, limits.MaxParts, $"messages[{index}].content", "parts");
            CheckPart(ref reader, index, count++);
        }

        return count > 0
            ? true
            : throw new InferenceException(InferenceError.Invalid($"'messages[{index}].content' must hold at least one part.",
                $"messages[{index}].content", "empty_array"));
    }

    private static void CheckPart(ref Utf8JsonReader reader, int index, int part)
    {
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            throw JsonField.Wrong($"messages[{index}].content[{part}]", "an object");
        }

        var (hasType, isText, hasText) = (false, false, false);
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var field = reader.GetString()!;
            reader.Read();
            switch (field)
            {
                case "type":
                    isText = JsonField.ReadString(ref reader, $"messages[{index}].content[{part}].type") == "text";
                    hasType = true;
                    break;
                case "text" when reader.TokenType == JsonTokenType.String:
                    hasText = true;
                    break;
                default:
                    reader.Skip(); // Kinds of parts that this platform does not know are the engine's business.
                    break;
            }
        }

        if (!hasType)
        {
            throw JsonField.Missing($"messages[{index}].content[{part}].type");
        }

        if (isText && !hasText)
        {
            throw JsonField.Wrong($"messages[{index}].content[{part}].text", "a string");
        }
    }
}
