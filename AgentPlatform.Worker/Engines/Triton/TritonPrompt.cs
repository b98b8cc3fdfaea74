using System.Text;
using System.Text.Json;
using AgentPlatform.Inference;

namespace AgentPlatform.Worker.Engines.Triton;

/// <summary>Makes one text of a chat's messages, for models that complete a text.</summary>
internal static class TritonPrompt
{
    /// <exception cref="InferenceException">400: a message holds something else than text.</exception>
    public static string Write(JsonElement request, TritonPromptFormat format)
    {
        var messages = request.GetProperty("messages");
        if (format == TritonPromptFormat.Messages)
        {
            return messages.GetRawText();
        }

        var texts = messages.EnumerateArray().Select(static (message, index) => (Role: message.GetProperty("role").GetString()!, Text: TextOf(message, index))).ToList();
        return format == TritonPromptFormat.ChatML ? ChatML(texts) : Plain(texts);
    }

    private static string Plain(List<(string Role, string Text)> messages)
    {
        if (messages is [("user", var only)])
        {
            return only;
        }

        var prompt = new StringBuilder();
        foreach (var (role, text) in messages)
        {
            prompt.Append(role is "system" or "developer" ? "" : $"{char.ToUpperInvariant(role[0])}{role[1..]}: ").Append(text).Append('\n');
        }

        return prompt.Append("Assistant:").ToString();
    }

    private static string ChatML(List<(string Role, string Text)> messages)
    {
        var prompt = new StringBuilder();
        foreach (var (role, text) in messages)
        {
            prompt.Append("<|im_start|>").Append(role).Append('\n').Append(text).Append("<|im_end|>\n");
        }

        return prompt.Append("<|im_start|>assistant\n").ToString();
    }

    // "content":"Hi", or "content":[{"type":"text","text":"Hi"}]
    private static string TextOf(JsonElement message, int index)
    {
        if (!message.TryGetProperty("content", out var content) || content.ValueKind == JsonValueKind.Null)
        {
            return "";
        }

        return content.ValueKind == JsonValueKind.String
            ? content.GetString()!
            : string.Concat(content.EnumerateArray().Select((part, at) => part.TryGetProperty("text", out var text) && text.ValueKind == JsonValueKind.String
                ? text.GetString()
                : throw new InferenceException(InferenceError.Invalid(
                    "The model takes only text.", $"messages[{index}].content[{at}]", "unsupported_parameter"))));
    }
}
