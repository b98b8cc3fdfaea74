using System.Text.Json;
using AgentPlatform.Messaging.Contracts;
using AgentPlatform.Worker.Engines.OnnxChat.Templates;

namespace AgentPlatform.Worker.Engines.OnnxChat.Requests;

/// <summary>Reads the messages of a request as chat templates see them.</summary>
internal static class ChatMessageReader
{
    /// <exception cref="InferenceException">400: a message holds something else than text.</exception>
    public static List<object?> Read(ChatFields body, string model)
    {
        List<object?> messages = [];
        foreach (var message in body.Find("messages") is { ValueKind: JsonValueKind.Array } array ? array.EnumerateArray() : throw ChatFields.Wrong("messages", "an array of messages"))
        {
            if (TemplateValue.Of(message) is not OrderedDictionary<string, object?> members)
            {
                throw ChatFields.Wrong($"messages[{messages.Count}]", "an object");
            }

            // OpenAI's newer name, which templates do not know.
            if (members.GetValueOrDefault("role") is "developer")
            {
                members["role"] = "system";
            }

            if (members.TryGetValue("content", out var content) && content is IReadOnlyList<object?> parts)
            {
                members["content"] = string.Join('\n', parts.Select((part, index) => TextOf(part, $"messages[{messages.Count}].content[{index}]", model)));
            }

            messages.Add(members);
        }

        return messages;
    }

    // {"type":"text","text":"Hi"} or, of an assistant, {"type":"refusal","refusal":"No"}
    private static string TextOf(object? part, string name, string model)
    {
        var members = part as IReadOnlyDictionary<string, object?>;
        var type = members?.GetValueOrDefault("type") as string;
        return type is "text" or "refusal" && members!.GetValueOrDefault(type) is string text ? text
            : throw new InferenceException(InferenceError.Invalid($"The model '{model}' reads text only; '{name}' is of type '{type}'.", name, "unsupported_content"));
    }
}
