using AgentPlatform.Api.Startup;
using AgentPlatform.Client.Transports.Http;
using AgentPlatform.Client.Transports.Queue;
using AgentPlatform.Inference;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace AgentPlatform.Tests.Client;

public sealed class ClientExtensionsTests
{
    [Fact]
    public void Each_model_has_its_own_transport_and_the_first_needs_no_key()
    {
        using var host = ClientHost.Build(
            ["agent", "tiny", "big"], addBroker: null,
            ("AgentPlatform:Models:0:Name", "tiny"),
            ("AgentPlatform:Models:1:Name", "big"),
            ("AgentPlatform:Models:2:Name", "agent"),
            ("AgentPlatform:Models:2:Transport", "http"),
            ("AgentPlatform:Models:2:Endpoint", "http://agent:8080"),
            ("ConnectionStrings:messaging", "amqp://127.0.0.1:9"));

        Assert.IsType<HttpTransport>(host.Services.GetRequiredService<IInference>());
        Assert.IsType<HttpTransport>(host.Services.GetRequiredKeyedService<IInference>("agent"));
        Assert.IsType<QueueTransport>(host.Services.GetRequiredKeyedService<IInference>("big"));
        Assert.Same(host.Services.GetRequiredService<IChatClient>(), host.Services.GetRequiredKeyedService<IChatClient>("agent"));
        Assert.NotSame(
            host.Services.GetRequiredKeyedService<IChatClient>("tiny"), host.Services.GetRequiredKeyedService<IChatClient>("big"));
    }

    [Theory]
    [InlineData("AgentPlatform:Models:0:Name=other", "No model of AgentPlatform:Models is named 'tiny'")]
    [InlineData("AgentPlatform:Models:0:Name=tiny", "ConnectionStrings:messaging is missing")]
    [InlineData("AgentPlatform:Models:0:Name=tiny;AgentPlatform:Models:0:Transport=http", "AgentPlatform:Models:0:Endpoint must be")]
    [InlineData("AgentPlatform:Models:0:Name=tiny;AgentPlatform:Models:0:Trnsport=http", "Trnsport")]
    public void A_mistake_is_one_sentence_that_names_the_key(string settings, string says)
    {
        var mistake = Assert.ThrowsAny<Exception>(() => ClientHost.Build(
            ["tiny"], null, [.. settings.Split(';').Select(setting => setting.Split('=')).Select(pair => (pair[0], (string?)pair[1]))]));
        var sentence = StartupMistake.Explain(mistake);
        Assert.Contains(says, sentence, StringComparison.Ordinal);
        Assert.DoesNotContain(Environment.NewLine, sentence, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_request_may_not_take_longer_than_the_broker_leaves_it()
    {
        var mistake = await Assert.ThrowsAsync<OptionsValidationException>(() => ClientHost.StartAsync(
            ["tiny"], ("AgentPlatform:RequestTimeout", "01:00:00"), ("AgentPlatform:Models:0:Name", "tiny"),
            ("AgentPlatform:Models:0:Transport", "openai"), ("AgentPlatform:Models:0:Endpoint", "http://x/v1")));
        Assert.Contains("AgentPlatform:RequestTimeout", StartupMistake.Explain(mistake), StringComparison.Ordinal);
    }
}
