using System.ClientModel;
using OpenAI;
using OpenAI.Chat;
using static AgentPlatform.Tests.Api.FakeInference;

namespace AgentPlatform.Tests.Api;

/// <summary>OpenAI's own .NET client understands the surface.</summary>
public sealed class OfficialClientTests
{
    [Fact]
    public async Task A_stream_gives_its_tokens_its_finish_reason_and_its_usage()
    {
        await using var host = await ApiHost.StartAsync();
        host.Inference.Answer = (_, _) => Parts(
            Started, Text("Hel"), Text("lo", "stop"), End("""{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3}"""));
        var (text, finish, tokens) = ("", default(ChatFinishReason?), 0);
        await foreach (var update in Client(host).CompleteChatStreamingAsync([new UserChatMessage("Hi")]))
        {
            text += string.Concat(update.ContentUpdate.Select(part => part.Text));
            finish ??= update.FinishReason;
            tokens = update.Usage?.OutputTokenCount ?? tokens;
        }

        Assert.Equal(("Hello", ChatFinishReason.Stop, 2), (text, finish, tokens));
    }

    [Fact]
    public async Task A_whole_answer_is_read()
    {
        await using var host = await ApiHost.StartAsync();
        host.Inference.Answer = (_, _) => Parts(
            Result(
                """{"choices":[{"index":0,"message":{"role":"assistant","content":"Hello"},"finish_reason":"stop"}],"usage":"""
                    + """{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3}}"""));
        ChatCompletion completion = await Client(host).CompleteChatAsync([new SystemChatMessage("Be kind."), new UserChatMessage("Hi")]);
        Assert.Equal(("Hello", 3, "tiny"), (completion.Content[0].Text, completion.Usage.TotalTokenCount, completion.Model));
    }

    [Fact]
    public async Task An_error_is_read()
    {
        await using var host = await ApiHost.StartAsync();
        var failure = await Assert.ThrowsAsync<ClientResultException>(
            () => Client(host).CompleteChatAsync([new UserChatMessage("Hi")], new ChatCompletionOptions { Temperature = 9 }));
        Assert.Equal(400, failure.Status);
        Assert.Contains("temperature", failure.Message, StringComparison.Ordinal);
    }

    private static ChatClient Client(ApiHost host) =>
        new("tiny", new ApiKeyCredential("none"), new OpenAIClientOptions { Endpoint = new Uri(host.Client.BaseAddress!, "/v1") });
}
