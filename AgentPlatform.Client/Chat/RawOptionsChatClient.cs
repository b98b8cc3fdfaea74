using System.Text;
using System.Text.Json;
using Microsoft.Extensions.AI;
using ChatCompletionOptions = OpenAI.Chat.ChatCompletionOptions;

namespace AgentPlatform.Client.Chat;

/// <summary>
/// Sends what <see cref="ChatOptions"/> holds and OpenAI's own client does not know: <see cref="ChatOptions.AdditionalProperties"/> as
/// members of the request, and <see cref="ChatOptions.TopK"/> as <c>top_k</c>.
/// </summary>
internal sealed class RawOptionsChatClient(IChatClient inner) : DelegatingChatClient(inner)
{
    /// <inheritdoc/>
    public override Task<ChatResponse> GetResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default) =>
        base.GetResponseAsync(messages, WithRaw(options), cancellationToken);

    /// <inheritdoc/>
    public override IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default) =>
        base.GetStreamingResponseAsync(messages, WithRaw(options), cancellationToken);

    private static ChatOptions? WithRaw(ChatOptions? options)
    {
        if (options is null or { TopK: null, AdditionalProperties: null or { Count: 0 } })
        {
            return options;
        }

        var raw = options.Clone();
        raw.RawRepresentationFactory = client =>
        {
            var completion = options.RawRepresentationFactory?.Invoke(client) as ChatCompletionOptions ?? new ChatCompletionOptions();
            if (options.TopK is { } topK)
            {
                Set(completion, "top_k", topK);
            }

            foreach (var (name, value) in options.AdditionalProperties ?? [])
            {
                Set(completion, name, value);
            }

            return completion;
        };
        return raw;
    }

#pragma warning disable SCME0001 // Experimental, and OpenAI's client has no other way to send members that it does not know.
    private static void Set(ChatCompletionOptions completion, string name, object? value) => completion.Patch.Set(
        Encoding.UTF8.GetBytes($"$['{name}']"),
        BinaryData.FromBytes(JsonSerializer.SerializeToUtf8Bytes(value, AIJsonUtilities.DefaultOptions)));
#pragma warning restore SCME0001
}
