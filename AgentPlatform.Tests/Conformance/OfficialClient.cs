using System.ClientModel;
using OpenAI;
using OpenAI.Chat;

namespace AgentPlatform.Tests.Conformance;

/// <summary>OpenAI's .NET client against a subject.</summary>
internal static class OfficialClient
{
    public static async Task CheckAsync(Uri address, string question, int tokens, WholeChat expected)
    {
        var client = new ChatClient(
            ChatSubject.Model, new ApiKeyCredential("none"), new OpenAIClientOptions { Endpoint = new Uri(address, "/v1") });
        ChatMessage[] messages = [new UserChatMessage(question)];
        var options = new ChatCompletionOptions { Temperature = 0, MaxOutputTokenCount = tokens };
        ChatCompletion completion = await client.CompleteChatAsync(messages, options);
        Assert.Equal((expected.Text, ChatSubject.Model), (completion.Content[0].Text, completion.Model));
        Assert.Equal(
            (expected.PromptTokens, expected.CompletionTokens), (completion.Usage.InputTokenCount, completion.Usage.OutputTokenCount));

        var (text, finish, total) = ("", default(ChatFinishReason?), 0);
        await foreach (var update in client.CompleteChatStreamingAsync(messages, options))
        {
            text += string.Concat(update.ContentUpdate.Select(part => part.Text));
            finish ??= update.FinishReason;
            total = update.Usage?.TotalTokenCount ?? total;
        }

        Assert.Equal((expected.Text, completion.FinishReason, completion.Usage.TotalTokenCount), (text, finish, total));
        var failure = await Assert.ThrowsAsync<ClientResultException>(
            () => client.CompleteChatAsync(messages, new ChatCompletionOptions { Temperature = 9 }));
        Assert.Equal(400, failure.Status);
        Assert.Contains("temperature", failure.Message, StringComparison.Ordinal);
    }
}
