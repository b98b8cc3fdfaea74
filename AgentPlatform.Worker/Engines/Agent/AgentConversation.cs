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
    private const string OwnTools = "an agent has its own tools";

    /// <summary>Reads a chat-completions request that the HTTP surface has checked.</summary>
    /// <exception cref="InferenceException">400: it asks for something that an agent cannot do, and names it.</exception>
    public static AgentConversation Read(ReadOnlyMemory<byte> body, string? instructions)
    {
        using var request = JsonDocument.Parse(body, JsonLimits.Document);
        var turn = ChatTurn.Read(request.RootElement, Refusal);
        var history = new ChatHistory();
        if (!string.IsNullOrEmpty(instructions))
        {
            history.AddSystemMessage(instructions);
        }

        foreach (var message in turn.Messages)
        {
            history.Add(ReadMessage(message));
        }

        var settings = turn.Members
            .Where(static member => member.Name is not ("model" or "messages" or "stream" or "stream_options"))
            .Where(static member => Refusal(member.Name) is null)
            .ToDictionary(static member => member.Name, static member => member.Value.Clone(), StringComparer.Ordinal);
        return new AgentConversation(history, settings);
    }

    private static string? Refusal(string field) => field switch
    {
        "tools" or "tool_choice" or "parallel_tool_calls" or "functions" or "function_call" => Sentence(field, OwnTools),
        "n" or "logprobs" or "top_logprobs" => Sentence(field, "an agent gives one answer that may come from several calls of its model"),
        _ => null,
    };

    private static ChatMessageContent ReadMessage(ChatMessage message)
    {
        var role = message.Role switch
        {
            "system" => AuthorRole.System,
            "developer" => AuthorRole.Developer,
            "user" => AuthorRole.User,
            "assistant" => AuthorRole.Assistant,
            _ => throw Unsupported($"{message.Place}.role", OwnTools),
        };
        if (message.Json.TryGetProperty("tool_calls", out var calls) && calls.ValueKind != JsonValueKind.Null)
        {
            throw Unsupported($"{message.Place}.tool_calls", OwnTools);
        }

        var items = new ChatMessageContentItemCollection();
        foreach (var part in message.Content)
        {
            items.Add(ReadPart(part));
        }

        return new ChatMessageContent(role, items);
    }

    // {"type":"text","text":"Hi"}, or {"type":"image_url","image_url":{"url":"https://... or data:image/png;base64,..."}}
    private static KernelContent ReadPart(ChatContent part) => part.Type switch
    {
        "text" => new TextContent(part.Text),
        "image_url" when part.Json.TryGetProperty("image_url", out var image) && image.ValueKind == JsonValueKind.Object
            && image.TryGetProperty("url", out var url) && url.ValueKind == JsonValueKind.String && url.GetString() is { } address
            && Uri.TryCreate(address, UriKind.Absolute, out var uri) =>
            uri.Scheme == "data" ? new ImageContent(address) : new ImageContent(uri),
        _ => throw Unsupported(part.Place, "an agent reads texts and images with an address"),
    };

    private static string Sentence(string field, string because) => $"'{field}' is not supported: {because}.";

    private static InferenceException Unsupported(string field, string because) => ChatTurn.Unsupported(field, Sentence(field, because));
}
