using AgentPlatform.Inference;
using AgentPlatform.Messaging;
using AgentPlatform.Messaging.Asking;
using AgentPlatform.Messaging.Broker;
using AgentPlatform.Tests.Broker;
using AgentPlatform.Tests.Worker;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using RabbitMQ.Client;

namespace AgentPlatform.Tests.Messaging;

/// <summary>The messaging of a gateway or of a worker alone: a side of the broker without HTTP, models and engines.</summary>
internal sealed class MessagingHost : IAsyncDisposable
{
    private readonly IHost _host;

    private MessagingHost(IHost host) => _host = host;

    public static Task<MessagingHost> GatewayAsync(RabbitMQServer server, string queue, params (string Key, string Value)[] settings) =>
        GatewayAsync(Connect(server), queue, settings);

    public static Task<MessagingHost> WorkerAsync(
        RabbitMQServer server, string queue, ushort prefetch, params (string Key, string Value)[] settings) =>
        WorkerAsync(Connect(server), queue, prefetch, settings);

    /// <param name="addBroker">Registers the broker.</param>
    /// <param name="queue">The queue that it sends to.</param>
    /// <param name="settings">Configuration.</param>
    public static Task<MessagingHost> GatewayAsync(
        Action<IServiceCollection> addBroker, string queue, params (string Key, string Value)[] settings) =>
        StartAsync(addBroker, settings, builder => builder.AddGatewayMessaging(_ => new JobQueues([queue])));

    public static Task<MessagingHost> WorkerAsync(
        Action<IServiceCollection> addBroker, string queue, ushort prefetch, params (string Key, string Value)[] settings) =>
        StartAsync(addBroker, settings, builder => builder.AddWorkerMessaging(_ => new JobSource(queue, prefetch)));

    /// <summary>
    /// Registers the connection to a server. A call may take longer than a test waits: nothing may depend on one that the client gives up.
    /// </summary>
    public static Action<IServiceCollection> Connect(RabbitMQServer server) => services => services.AddSingleton<IConnectionFactory>(
        new ConnectionFactory
        {
            Uri = new Uri(server.ConnectionString),
            AutomaticRecoveryEnabled = false,
            ContinuationTimeout = TimeSpan.FromMinutes(5),
        });

    public T Get<T>() where T : notnull => _host.Services.GetRequiredService<T>();

    /// <summary>Waits until the broker is there (or away).</summary>
    public Task BrokerAsync(bool there = true) => Wait.UntilAsync(async () =>
        (await Get<HealthCheckService>().CheckHealthAsync()).Status == (there ? HealthStatus.Healthy : HealthStatus.Unhealthy));

    /// <summary>Sends a job as a gateway does; the task that comes back is its answer.</summary>
    public async Task<Task<List<string>>> SendAsync(InferenceRequest request, string queue, string version)
    {
        var answer = await BeginAsync(request, queue, version);
        return answer.ReadAsync(CancellationToken.None).ReadAsync();
    }

    /// <summary>Sends a job as a gateway does.</summary>
    public async Task<ReplyAssembly> BeginAsync(InferenceRequest request, string queue, string version)
    {
        var receiver = Get<ReplyReceiver>();
        var answer = receiver.Admit(request, queue, version);
        await Get<JobPublisher>().PublishAsync(request, queue, version, receiver.Address, issue: 0, CancellationToken.None);
        return answer;
    }

    public async ValueTask DisposeAsync()
    {
        await _host.StopAsync();
        _host.Dispose();
    }

    private static async Task<MessagingHost> StartAsync(
        Action<IServiceCollection> addBroker, (string Key, string Value)[] settings, Action<IHostApplicationBuilder> add)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Configuration.AddInMemoryCollection(
            settings.Select(setting => new KeyValuePair<string, string?>(setting.Key, setting.Value)));
        builder.Services.AddMetrics();
        builder.Services.AddLogging();
        addBroker(builder.Services);
        add(builder);
        var side = new MessagingHost(builder.Build());
        await side._host.StartAsync();
        await side.BrokerAsync();
        return side;
    }
}
