using AgentPlatform.Inference.OpenAI;
using AgentPlatform.Messaging;
using AgentPlatform.Worker.Weights;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;

namespace AgentPlatform.Tests.Client.Transports;

/// <summary>
/// No client of the platform waits long for an address that answers nothing: the next attempt may meet what has taken its place.
/// </summary>
public sealed class ConnectLimitTests
{
    // By themselves RabbitMQ's client waits 30 s, and .NET's as long as the system, which is two minutes.
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(20);

    [Fact]
    public async Task The_broker_is_given_up_soon()
    {
        using var silent = await SilentAddress.StartAsync();
        var builder = Host.CreateApplicationBuilder();
        builder.Configuration[$"ConnectionStrings:{MessagingExtensions.ConnectionName}"] = $"amqp://guest:guest@{silent.Endpoint}";
        builder.AddBrokerConnection();
        using var host = builder.Build();

        await Assert.ThrowsAsync<BrokerUnreachableException>(
            () => host.Services.GetRequiredService<IConnectionFactory>().CreateConnectionAsync().WaitAsync(_patience));
    }

    [Theory]
    [InlineData(UpstreamClientExtensions.UpstreamClient)]
    [InlineData(WeightsClient.HttpName)]
    public async Task Engines_tools_and_stores_are_given_up_soon(string client)
    {
        using var silent = await SilentAddress.StartAsync();
        await using var services = new ServiceCollection().AddSingleton<IConfiguration>(new ConfigurationBuilder().Build())
            .AddUpstreamClientsOfTheWorker().BuildServiceProvider();
        using var http = services.GetRequiredService<IHttpClientFactory>().CreateClient(client);

        // A request that is cancelled by its connection's limit says so; the test's own limit would be another exception.
        var failure = await Record.ExceptionAsync(() => http.GetAsync(new Uri($"http://{silent.Endpoint}/")).WaitAsync(_patience));

        Assert.True(failure is HttpRequestException or TaskCanceledException, $"{failure}");
    }
}

file static class WorkerClients
{
    public static IServiceCollection AddUpstreamClientsOfTheWorker(this IServiceCollection services)
    {
        services.AddUpstreamClient();
        services.AddModelFolder();
        return services;
    }
}
