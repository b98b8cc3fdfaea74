using AgentPlatform.Client;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace AgentPlatform.Tests.Client;

/// <summary>A .NET program that uses the models of the platform.</summary>
internal sealed class ClientHost : IAsyncDisposable
{
    private readonly IHost _host;

    private ClientHost(IHost host) => _host = host;

    public IServiceProvider Services => _host.Services;

    public IChatClient Chat => Services.GetRequiredService<IChatClient>();

    public static Task<ClientHost> StartAsync(string[] models, params (string Key, string? Value)[] settings) =>
        StartAsync(models, addBroker: null, settings);

    /// <summary>Starts a program that adds <paramref name="models"/>; it may ask at once.</summary>
    public static async Task<ClientHost> StartAsync(
        string[] models, Action<IServiceCollection>? addBroker, params (string Key, string? Value)[] settings)
    {
        var host = new ClientHost(Build(models, addBroker, settings));
        await host._host.StartAsync();
        return host;
    }

    /// <param name="models">The names that the program asks for.</param>
    /// <param name="addBroker">Registers the broker; without one the configuration names it, or there is none.</param>
    /// <param name="settings">Configuration.</param>
    public static IHost Build(string[] models, Action<IServiceCollection>? addBroker, params (string Key, string? Value)[] settings)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Configuration.AddInMemoryCollection(
            settings.Select(setting => new KeyValuePair<string, string?>(setting.Key, setting.Value)));
        builder.Services.AddMetrics();
        builder.Logging.ClearProviders();
        addBroker?.Invoke(builder.Services);
        foreach (var model in models)
        {
            builder.AddAgentPlatformClient(model);
        }

        return builder.Build();
    }

    public async ValueTask DisposeAsync()
    {
        await _host.StopAsync();
        _host.Dispose();
    }
}
