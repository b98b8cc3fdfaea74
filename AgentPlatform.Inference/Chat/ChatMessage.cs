using System.Text.Json;

namespace AgentPlatform.Inference.Chat;

/// <summary>A message of a chat request.</summary>
/// <param name="Index">Which one it is.</param>
/// <param name="Json">The whole message.</param>
public readonly record struct ChatMessage(int Index, JsonElement Json)
{
    /// <summary>Where it is in the request: <c>messages[2]</c>.</summary>
    public string Place => $"messages[{Index}]";

    /// <summary>Whose it is: <c>user</c>; null if it does not say.</summary>
    public string? Role => Json.TextOf("role");

    /// <summary>The parts of its content: of a string one part of text; none if there is no content.</summary>
    public IEnumerable<ChatContent> Content
    {
        get
        {
            var index = Index;
            return !Json.TryGetProperty("content", out var content) ? [] : content.ValueKind switch
            {
                JsonValueKind.String => [new ChatContent(index, null, content)],
                JsonValueKind.Array => content.EnumerateArray().Select((part, place) => new ChatContent(index, place, part)),
                _ => [],
            };
        }
    }
}

/// <summary>A part of a message's content.</summary>
/// <param name="Message">Which message it belongs to.</param>
/// <param name="Index">Which part of it, if there are parts.</param>
/// <param name="Json"><c>"Hi"</c>, or <c>{"type":"text","text":"Hi"}</c>.</param>
public readonly record struct ChatContent(int Message, int? Index, JsonElement Json)
{
    /// <summary>Where it is in the request: <c>messages[2].content[0]</c>.</summary>
    public string Place => Index is { } part ? $"messages[{Message}].content[{part}]" : $"messages[{Message}].content";

    /// <summary>Its kind, such as <c>text</c> or <c>image_url</c>; null if it does not say.</summary>
    public string? Type => Json.ValueKind == JsonValueKind.String ? "text" : Json.TextOf("type");

    /// <summary>The text of the part; null for other kinds.</summary>
    public string? Text => Json.ValueKind == JsonValueKind.String ? Json.GetString() : Json.TextOf("text");
}

/// <summary>Members of JSON objects.</summary>
internal static class ChatMembers
{
    /// <summary>A member that is a string; null if there is none.</summary>
    public static string? TextOf(this JsonElement json, string name) =>
        json.ValueKind == JsonValueKind.Object && json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String
            ? value.GetString()
            : null;
}
