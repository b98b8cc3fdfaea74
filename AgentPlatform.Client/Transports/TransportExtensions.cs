using AgentPlatform.Client.Models;
using AgentPlatform.Inference.OpenAI;
using AgentPlatform.Messaging;
using AgentPlatform.Messaging.Broker;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;

namespace AgentPlatform.Client.Transports;

/// <summary>Registers what transports share.</summary>
public static class TransportExtensions
{
    /// <summary>
    /// Adds what the transports of these models need: the HTTP client, and the broker if one of them is reached through it. May be called
    /// again.
    /// </summary>
    public static void AddTransports(this IHostApplicationBuilder builder, IEnumerable<ModelOptions> models)
    {
        builder.Services.TryAddSingleton(TimeProvider.System);
        builder.Services.AddUpstreamClient();
        var queues = models.Where(model => model.Transport == Transport.Queue).Select(model => QueueNames.Job(model.Name, model.Version))
            .ToList();
        if (queues.Count > 0)
        {
            builder.AddBrokerConnection();
            builder.AddGatewayMessaging(_ => new JobQueues(queues));
        }
    }
}
