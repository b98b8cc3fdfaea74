using AgentPlatform.Messaging.Broker;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;

namespace AgentPlatform.Messaging.InMemory;

/// <summary>Registers an <see cref="InMemoryBroker"/>.</summary>
public static class InMemoryExtensions
{
    /// <summary>Makes <paramref name="broker"/> the broker of these services. Call it before the sides of the broker are added.</summary>
    public static IServiceCollection AddInMemoryBroker(this IServiceCollection services, InMemoryBroker broker)
    {
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<BrokerState>();
        services.AddSingleton(broker);
        services.AddSingleton<IJobSender>(broker);
        services.AddSingleton<IReplySender>(broker);
        services.AddSingleton<IControlSender>(broker);
        services.AddSingleton<IQueueInspector>(broker);
        services.AddSingleton<IDeadLetters>(broker);
        services.AddSingleton<IJobReceiver, InMemoryReceiver>();
        services.AddHostedService<Connection>();
        return services;
    }

    /// <summary>Connects a process's handlers with the broker for as long as its host runs.</summary>
    private sealed class Connection(
        InMemoryBroker broker, BrokerState state, IEnumerable<JobQueues> queues, IEnumerable<IReplyHandler> replies,
        IEnumerable<IControlHandler> control) : IHostedService
    {
        public async Task StartAsync(CancellationToken cancellationToken)
        {
            foreach (var queue in queues.SelectMany(static some => some.Names))
            {
                await broker.RestoreAsync(queue, cancellationToken);
            }

            broker.Connect(replies, control, isConnected: true);
            state.IsOpen = true;
        }

        public Task StopAsync(CancellationToken cancellationToken)
        {
            state.IsOpen = false;
            broker.Connect(replies, control, isConnected: false);
            return Task.CompletedTask;
        }
    }
}
