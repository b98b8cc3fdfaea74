using System.Diagnostics;
using AgentPlatform.Client.Models;
using AgentPlatform.Messaging;
using AgentPlatform.Messaging.Broker;
using AgentPlatform.Messaging.Jobs;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;

namespace AgentPlatform.Client.Transports;

/// <summary>Registers what transports share.</summary>
internal static class TransportExtensions
{
    /// <summary>Name of the HTTP client for model servers and agents.</summary>
    public const string UpstreamClient = "upstream";

    /// <summary>Key of the setting that sends trace context to model servers and agents.</summary>
    public const string TraceUpstream = "Upstream:TraceContext";

    /// <summary>Adds what the transports of these models need: the HTTP client, and the broker if one of them is reached through it. May be called again.</summary>
    public static void AddTransports(this IHostApplicationBuilder builder, IEnumerable<ModelOptions> models)
    {
        builder.Services.TryAddSingleton(TimeProvider.System);
        builder.Services.AddUpstreamClient();
        var queues = models.Where(model => model.Transport == Transport.Queue).Select(model => Topology.JobQueue(model.Name, model.Version)).ToList();
        if (queues.Count > 0)
        {
            builder.AddBrokerConnection();
            builder.AddGatewayMessaging(_ => new JobQueues(queues));
        }
    }

    /// <summary>
    /// The HTTP client that reaches model servers. Without a timeout: requests have deadlines. Redirects are not followed, since a chat
    /// is not to be sent to somebody else.
    /// </summary>
    public static IHttpClientBuilder AddUpstreamClient(this IServiceCollection services, string name = UpstreamClient) => services
        .AddHttpClient(name, static client => client.Timeout = Timeout.InfiniteTimeSpan)
        .ConfigurePrimaryHttpMessageHandler(static provider => new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            ActivityHeadersPropagator = provider.GetService<IConfiguration>()?.GetValue<bool>(TraceUpstream) == true
                ? DistributedContextPropagator.Current
                : DistributedContextPropagator.CreateNoOutputPropagator(), // The server may be anybody's.
            ConnectTimeout = TimeSpan.FromSeconds(5),
            PooledConnectionLifetime = TimeSpan.FromMinutes(2), // Finds new addresses of a name.

            // Long enough for what follows the last event; a stream that is left in its middle is to end on the server too.
            ResponseDrainTimeout = TimeSpan.FromMilliseconds(50),
        })
        .SetHandlerLifetime(Timeout.InfiniteTimeSpan);
}
