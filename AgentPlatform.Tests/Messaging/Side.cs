using AgentPlatform.Messaging;
using AgentPlatform.Messaging.Broker;
using AgentPlatform.Tests.Broker;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using RabbitMQ.Client;

namespace AgentPlatform.Tests.Messaging;

/// <summary>A gateway's or a worker's side of the broker, without HTTP.</summary>
internal sealed class Side : IAsyncDisposable
{
    private static readonly TimeSpan _limit = TimeSpan.FromMinutes(2);
    private readonly IHost _host;

    private Side(IHost host) => _host = host;

    public static Task<Side> GatewayAsync(RabbitMQServer server, string queue, params (string Key, string Value)[] settings) =>
        GatewayAsync(Connect(server), queue, settings);

    public static Task<Side> WorkerAsync(RabbitMQServer server, string queue, ushort prefetch, params (string Key, string Value)[] settings) =>
        WorkerAsync(Connect(server), queue, prefetch, settings);

    /// <param name="addBroker">Registers the broker.</param>
    /// <param name="queue">The queue that it sends to.</param>
    /// <param name="settings">Configuration.</param>
    public static Task<Side> GatewayAsync(Action<IServiceCollection> addBroker, string queue, params (string Key, string Value)[] settings) =>
        StartAsync(addBroker, settings, builder => builder.AddGatewayMessaging(_ => new JobQueues([queue])));

    public static Task<Side> WorkerAsync(Action<IServiceCollection> addBroker, string queue, ushort prefetch, params (string Key, string Value)[] settings) =>
        StartAsync(addBroker, settings, builder => builder.AddWorkerMessaging(_ => new JobSource(queue, prefetch)));

    /// <summary>Registers the connection to a server. A call may take longer than a test waits: nothing may depend on one that the client gives up.</summary>
    public static Action<IServiceCollection> Connect(RabbitMQServer server) => services => services.AddSingleton<IConnectionFactory>(
        new ConnectionFactory { Uri = new Uri(server.ConnectionString), AutomaticRecoveryEnabled = false, ContinuationTimeout = TimeSpan.FromMinutes(5) });

    public T Get<T>() where T : notnull => _host.Services.GetRequiredService<T>();

    /// <summary>Waits until the broker is there (or away).</summary>
    public Task BrokerAsync(bool there = true) => UntilAsync(async () =>
        (await Get<HealthCheckService>().CheckHealthAsync()).Status == (there ? HealthStatus.Healthy : HealthStatus.Unhealthy));

    public static async Task UntilAsync(Func<Task<bool>> condition)
    {
        var began = TimeProvider.System.GetTimestamp();
        while (!await condition())
        {
            Assert.True(TimeProvider.System.GetElapsedTime(began) < _limit, "The condition did not come true in time.");
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _host.StopAsync();
        _host.Dispose();
    }

    private static async Task<Side> StartAsync(Action<IServiceCollection> addBroker, (string Key, string Value)[] settings, Action<IHostApplicationBuilder> add)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Configuration.AddInMemoryCollection(settings.Select(setting => new KeyValuePair<string, string?>(setting.Key, setting.Value)));
        builder.Services.AddMetrics();
        builder.Services.AddLogging();
        addBroker(builder.Services);
        add(builder);
        var side = new Side(builder.Build());
        await side._host.StartAsync();
        await side.BrokerAsync();
        return side;
    }
}
