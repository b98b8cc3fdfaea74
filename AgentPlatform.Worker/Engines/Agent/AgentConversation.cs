using System.Text.Json;
using AgentPlatform.Inference;
using AgentPlatform.Inference.Chat;
using AgentPlatform.Inference.Json;
using Microsoft.SemanticKernel;
using Microsoft.SemanticKernel.ChatCompletion;

namespace AgentPlatform.Worker.Engines.Agent;

/// <summary>What a client asks of an agent.</summary>
/// <param name="History">The conversation until now, the agent's instructions first.</param>
/// <param name="Settings">All other members of the request, such as <c>temperature</c>, for the model as they stand.</param>
internal sealed record AgentConversation(ChatHistory History, IReadOnlyDictionary<string, JsonElement> Settings)
{
    /// <summary>Reads a chat-completions request that the HTTP surface has checked.</summary>
    /// <exception cref="InferenceException">400: it asks for something that an agent cannot do, and names it.</exception>
    public static AgentConversation Read(ReadOnlyMemory<byte> body, string? instructions)
    {
        var history = new ChatHistory();
        if (!string.IsNullOrEmpty(instructions))
        {
            history.AddSystemMessage(instructions);
        }

        var settings = new Dictionary<string, JsonElement>(StringComparer.Ordinal);
        using var request = JsonDocument.Parse(body, JsonLimits.Document);
        foreach (var member in request.RootElement.LastOfEach())
        {
            switch (member.Name)
            {
                case "model" or "stream" or "stream_options":
                case var _ when member.Value.ValueKind == JsonValueKind.Null:
                    break;
                case "messages":
                    var index = 0;
                    foreach (var message in member.Value.EnumerateArray())
                    {
                        history.Add(ReadMessage(message, $"messages[{index++}]"));
                    }

                    break;
                case "tools" or "tool_choice" or "parallel_tool_calls" or "functions" or "function_call" or "n" or "logprobs" or "top_logprobs"
                    when NeutralFields.IsNeutral(member.Name, member.Value, request.RootElement):
                    break;
                case "tools" or "tool_choice" or "parallel_tool_calls" or "functions" or "function_call":
                    throw Unsupported(member.Name, "an agent has its own tools");
                case "n" or "logprobs" or "top_logprobs":
                    throw Unsupported(member.Name, "an agent gives one answer that may come from several calls of its model");
                default:
                    settings[member.Name] = member.Value.Clone();
                    break;
            }
        }

        return new AgentConversation(history, settings);
    }

    private static ChatMessageContent ReadMessage(JsonElement message, string field)
    {
        var role = message.GetProperty("role").GetString() switch
        {
            "system" => AuthorRole.System,
            "developer" => AuthorRole.Developer,
            "user" => AuthorRole.User,
            "assistant" => AuthorRole.Assistant,
            _ => throw Unsupported($"{field}.role", "an agent has its own tools"),
        };
        if (message.TryGetProperty("tool_calls", out var calls) && calls.ValueKind != JsonValueKind.Null)
        {
            throw Unsupported($"{field}.tool_calls", "an agent has its own tools");
        }

        var items = new ChatMessageContentItemCollection();
        if (message.TryGetProperty("content", out var content))
        {
            ReadContent(content, $"{field}.content", items);
        }

        return new ChatMessageContent(role, items);
    }

    // "Hi", or [{"type":"text","text":"Hi"},{"type":"image_url","image_url":{"url":"https://... or data:image/png;base64,..."}}]
    private static void ReadContent(JsonElement content, string field, ChatMessageContentItemCollection items)
    {
        if (content.ValueKind == JsonValueKind.String)
        {
            items.Add(new TextContent(content.GetString()));
            return;
        }

        if (content.ValueKind != JsonValueKind.Array)
        {
            return;
        }

        var index = 0;
        foreach (var part in content.EnumerateArray())
        {
            var name = $"{field}[{index++}]";
            switch (part.GetProperty("type").GetString())
            {
                case "text":
                    items.Add(new TextContent(part.GetProperty("text").GetString()));
                    break;
                case "image_url" when part.TryGetProperty("image_url", out var image) && image.ValueKind == JsonValueKind.Object
                    && image.TryGetProperty("url", out var url) && url.GetString() is { } address && Uri.TryCreate(address, UriKind.Absolute, out var uri):
                    items.Add(uri.Scheme == "data" ? new ImageContent(address) : new ImageContent(uri));
                    break;
                default:
                    throw Unsupported(name, "an agent reads texts and images with an address");
            }
        }
    }

    private static InferenceException Unsupported(string field, string because) =>
        new(InferenceError.Invalid($"'{field}' is not supported: {because}.", field, "unsupported_parameter"));
}
