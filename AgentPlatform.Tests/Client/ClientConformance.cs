using AgentPlatform.Inference;
using AgentPlatform.Inference.OpenAI;
using AgentPlatform.Messaging.InMemory;
using AgentPlatform.Tests.Worker;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.SemanticKernel.ChatCompletion;

namespace AgentPlatform.Tests.Client;

/// <summary>What a program may rely on, whichever transport its configuration names: the same program against the same worker.</summary>
public abstract class ClientConformance : IAsyncLifetime
{
    private ServiceHost _worker = null!;
    private ClientHost _host = null!;

    public async Task InitializeAsync()
    {
        _worker = await ServiceHost.WorkerAsync(null, AddBroker,
        [
            ("Model:Name", "tiny"), ("Simulated:AnswerTokens", "8"), ("Simulated:TimeToFirstToken", "00:00:00"),
            ("Simulated:TimePerToken", "00:00:00.001"),
        ]);
        await _worker.ReadyAsync();
        _host = await ClientHost.StartAsync(["tiny"], AddBroker, [("AgentPlatform:Models:0:Name", "tiny"), .. Settings(_worker.Address)]);
    }

    public async Task DisposeAsync()
    {
        await _host.DisposeAsync();
        await _worker.DisposeAsync();
    }

    /// <summary>Registers the broker; null where there is none.</summary>
    protected virtual Action<IServiceCollection>? AddBroker => null;

    protected abstract (string Key, string? Value)[] Settings(Uri worker);

    [Fact]
    public async Task Whole_and_streamed_answers_are_the_same()
    {
        var whole = await _host.Chat.GetResponseAsync("Hello");
        Assert.StartsWith("This answer is simulated:", whole.Text, StringComparison.Ordinal);
        Assert.Equal((ChatFinishReason.Stop, 8), (whole.FinishReason, whole.Usage!.OutputTokenCount));

        var updates = new List<ChatResponseUpdate>();
        await foreach (var update in _host.Chat.GetStreamingResponseAsync("Hello"))
        {
            updates.Add(update);
        }

        var streamed = updates.ToChatResponse();
        Assert.Equal(
            (whole.Text, whole.FinishReason, whole.Usage.OutputTokenCount),
            (streamed.Text, streamed.FinishReason, streamed.Usage!.OutputTokenCount));
        Assert.True(updates.Count(update => update.Text.Length > 0) > 1);
    }

    [Fact]
    public async Task Options_reach_the_engine()
    {
        var answer = await _host.Chat.GetResponseAsync(
            "Hello", new ChatOptions { MaxOutputTokens = 2, AdditionalProperties = new() { ["n"] = 2 } });
        Assert.Equal(ChatFinishReason.Length, answer.FinishReason);
        Assert.Equal(4, answer.Usage!.OutputTokenCount);
    }

    [Fact]
    public async Task Semantic_Kernel_and_bare_inference_are_there_under_the_model_s_name()
    {
        var service = _host.Services.GetRequiredKeyedService<IChatCompletionService>("tiny");
        Assert.StartsWith(
            "This answer is simulated:", (await service.GetChatMessageContentAsync("Hello")).Content, StringComparison.Ordinal);
        var inference = _host.Services.GetRequiredKeyedService<IInference>("tiny");
        var parts = await inference.RunAsync(Requests.Create() with { Model = "tiny" }, CancellationToken.None).ReadAsync();
        Assert.Contains("simulated", string.Concat(parts), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_wrong_request_is_refused_by_name(bool stream)
    {
        var options = new ChatOptions { AdditionalProperties = new() { ["n"] = 1000 } };
        var refusal = await Assert.ThrowsAsync<InferenceException>(() => stream
            ? _host.Chat.GetStreamingResponseAsync("Hello", options).ToChatResponseAsync()
            : _host.Chat.GetResponseAsync("Hello", options));
        Assert.Equal((400, "n"), (refusal.Error.Status, refusal.Error.Param));
    }

    [Fact]
    public async Task A_stream_can_be_left()
    {
        var options = new ChatOptions { AdditionalProperties = new() { ["n"] = 4 } };
        for (var i = 0; i < 40; i++)
        {
            // More often than the worker has slots.
            await foreach (var update in _host.Chat.GetStreamingResponseAsync("Hello", options))
            {
                if (update.Text.Length > 0)
                {
                    break;
                }
            }
        }

        Assert.Equal(8, (await _host.Chat.GetResponseAsync("Hello")).Usage!.OutputTokenCount);
    }
}

public sealed class HttpClientConformance : ClientConformance
{
    protected override (string Key, string? Value)[] Settings(Uri worker) =>
        [("AgentPlatform:Models:0:Transport", "http"), ("AgentPlatform:Models:0:Endpoint", worker.AbsoluteUri)];
}

public sealed class OpenAIClientConformance : ClientConformance
{
    protected override (string Key, string? Value)[] Settings(Uri worker) =>
        [("AgentPlatform:Models:0:Transport", "openai"), ("AgentPlatform:Models:0:Endpoint", $"{worker}v1")];
}

public sealed class QueueClientConformance : ClientConformance, IDisposable
{
    private readonly InMemoryBroker _broker = new(TimeProvider.System);

    protected override Action<IServiceCollection>? AddBroker => services => services.AddInMemoryBroker(_broker);

    public void Dispose() => _broker.Dispose();

    protected override (string Key, string? Value)[] Settings(Uri worker) => [("ConnectionStrings:messaging", "amqp://registered")];
}
