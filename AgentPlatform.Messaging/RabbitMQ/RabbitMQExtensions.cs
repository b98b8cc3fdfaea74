using AgentPlatform.Messaging.Broker;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using RabbitMQ.Client;

namespace AgentPlatform.Messaging.RabbitMQ;

/// <summary>Registers the ports of RabbitMQ, and the connection that they share.</summary>
internal static class RabbitMQExtensions
{
    public static IHostApplicationBuilder AddRabbitMQConnection(this IHostApplicationBuilder builder, string connectionName)
    {
        if (!builder.Services.Has<IConnectionFactory>())
        {
            builder.AddRabbitMQClient(
                connectionName,
                static settings =>
                {
                    // There is a health check of our own, and spans of our own: one for a job instead of one for every message.
                    settings.DisableHealthChecks = true;
                    settings.DisableTracing = true;
                },
                static factory =>
                {
                    factory.AutomaticRecoveryEnabled = false;

                    // A broker's pod that is replaced leaves an address that answers nothing, for which the client would wait 30 s. A
                    // broker that is there answers at once.
                    factory.RequestedConnectionTimeout = TimeSpan.FromSeconds(3);

                    // A peer that is frozen or cut off holds jobs that it has not begun until the broker misses it, which is after two of
                    // these.
                    factory.RequestedHeartbeat = TimeSpan.FromSeconds(5);
                });
        }

        return builder;
    }

    /// <summary>The ports of a gateway.</summary>
    public static void AddRabbitMQAsking(this IServiceCollection services)
    {
        services.AddShared();
        services.AddSingleton<IControlSender, RabbitMQControlSender>();
        services.AddSession<RabbitMQReplyReceiver>();
        services.AddSession<RabbitMQJobSender>();
        services.AddSingleton<IJobSender>(static provider => provider.GetRequiredService<RabbitMQJobSender>());
    }

    /// <summary>The ports of a worker.</summary>
    public static void AddRabbitMQAnswering(this IServiceCollection services)
    {
        services.AddShared();
        services.AddSingleton<IReplySender, RabbitMQReplySender>();
        services.AddSession<RabbitMQControlReceiver>();
        services.AddSession<RabbitMQJobReceiver>();
        services.AddSingleton<IJobReceiver>(static provider => provider.GetRequiredService<RabbitMQJobReceiver>());
    }

    private static void AddShared(this IServiceCollection services)
    {
        if (services.Has<BrokerConnection>())
        {
            return;
        }

        services.AddOptions<QueueOptions>().BindConfiguration(QueueOptions.Section).ValidateOnStart();
        services.AddSingleton<IValidateOptions<QueueOptions>, QueueOptionsValidator>();
        services.AddSingleton<JobQueueDeclaration>();

        // First of the sessions: the others may publish as soon as they are open.
        services.AddSession<ConfirmedPublisher>();
        services.AddSession<RabbitMQQueues>();
        services.AddSingleton<IQueueInspector>(static provider => provider.GetRequiredService<RabbitMQQueues>());
        services.AddSingleton<IDeadLetters, RabbitMQDeadLetters>();
        services.AddSingleton<BrokerConnection>();
        services.AddHostedService(static provider => provider.GetRequiredService<BrokerConnection>());
    }

    private static void AddSession<TSession>(this IServiceCollection services) where TSession : class, IBrokerSession
    {
        services.AddSingleton<TSession>();
        services.AddSingleton<IBrokerSession>(static provider => provider.GetRequiredService<TSession>());
    }
}
