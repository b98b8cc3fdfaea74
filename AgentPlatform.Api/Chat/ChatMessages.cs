using System.Text.Json;
using AgentPlatform.Api.Limits;
using AgentPlatform.Api.Requests;
using AgentPlatform.Messaging.Contracts;

namespace AgentPlatform.Api.Chat;

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

        string? role = null;
        var (hasContent, hasOther, hasCallId) = (false, false, false);
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var field = reader.GetString()!;
            reader.Read();
            switch (field)
            {
                case "role":
                    role = JsonField.Text(ref reader, $"messages[{index}].role");
                    break;
                case "content":
                    hasContent = CheckContent(ref reader, index, limits);
                    break;
                case "tool_calls" when reader.TokenType != JsonTokenType.Null:
                    hasOther |= JsonField.Objects(ref reader, $"messages[{index}].tool_calls", limits.MaxToolCalls) > 0;
                    break;
                case "function_call" or "audio" when reader.TokenType != JsonTokenType.Null:
                    JsonField.Object(ref reader, $"messages[{index}].{field}");
                    hasOther = true;
                    break;
                case "refusal" when reader.TokenType != JsonTokenType.Null:
                    JsonField.Text(ref reader, $"messages[{index}].refusal");
                    hasOther = true;
                    break;
                case "tool_call_id":
                    JsonField.Text(ref reader, $"messages[{index}].tool_call_id");
                    hasCallId = true;
                    break;
                case "name" when reader.TokenType != JsonTokenType.Null:
                    JsonField.Text(ref reader, $"messages[{index}].name");
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }

        CheckWhole(index, role, hasContent, hasOther, hasCallId);
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
                    $"'messages[{index}].role' must be one of system, developer, user, assistant, tool, function.", $"messages[{index}].role", "invalid_value"));
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
            : throw new InferenceException(InferenceError.Invalid($"'messages[{index}].content' must hold at least one part.", $"messages[{index}].content", "empty_array"));
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
                    isText = JsonField.Text(ref reader, $"messages[{index}].content[{part}].type") == "text";
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
