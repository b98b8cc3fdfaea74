using System.Diagnostics.Metrics;
using AgentPlatform.Messaging.Broker;
using AgentPlatform.Messaging.Control;
using AgentPlatform.Messaging.Jobs;
using AgentPlatform.Messaging.Replies;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using RabbitMQ.Client;

namespace AgentPlatform.Messaging;

/// <summary>Registers one side of the broker. Both need an <see cref="IConnectionFactory"/> whose automatic recovery is off.</summary>
public static class MessagingExtensions
{
    /// <summary>Name of the health check that is unhealthy while the broker is away.</summary>
    public const string HealthCheck = "broker";

    /// <summary>The gateway's side: publishes jobs to <paramref name="queues"/> and receives their answers.</summary>
    public static IHostApplicationBuilder AddGatewayMessaging(this IHostApplicationBuilder builder, Func<IServiceProvider, JobQueues> queues)
    {
        builder.AddBroker();
        builder.Services.AddSingleton(queues);
        builder.Services.AddSingleton(services => new CancelPublisher(services.GetRequiredService<ConfirmedPublisher>()));
        builder.Services.AddSession(services => new ReplyReceiver(
            services.GetRequiredService<CancelPublisher>(), services.GetRequiredService<MessagingTelemetry>(),
            services.GetRequiredService<IOptions<MessagingOptions>>(), services.GetRequiredService<ILogger<ReplyReceiver>>()));
        builder.Services.AddSession(services => new JobPublisher(
            services.GetRequiredService<BrokerConnectionState>(), services.GetRequiredService<ConfirmedPublisher>(), services.GetRequiredService<MessagingTelemetry>(),
            services.GetRequiredService<JobQueues>(), services.GetRequiredService<IOptions<MessagingOptions>>()));
        return builder;
    }

    /// <summary>The worker's side: takes jobs from one queue and sends their answers.</summary>
    public static IHostApplicationBuilder AddWorkerMessaging(this IHostApplicationBuilder builder, Func<IServiceProvider, JobSource> source)
    {
        builder.AddBroker();
        builder.Services.AddSingleton(source);
        builder.Services.AddSession(services => new CancelListener(services.GetRequiredService<ILogger<CancelListener>>()));
        builder.Services.AddSession(services => new JobConsumer(
            services.GetRequiredService<JobSource>(), services.GetRequiredService<IOptions<MessagingOptions>>(),
            services.GetRequiredService<MessagingTelemetry>(), services.GetRequiredService<ILogger<JobConsumer>>()));
        builder.Services.AddSingleton(services => new FrameSender(
            services.GetRequiredService<ConfirmedPublisher>(), services.GetRequiredService<MessagingTelemetry>(),
            services.GetRequiredService<IOptions<MessagingOptions>>(), services.GetRequiredService<TimeProvider>()));
        return builder;
    }

    private static void AddBroker(this IHostApplicationBuilder builder)
    {
        var services = builder.Services;
        services.TryAddSingleton(TimeProvider.System);
        services.AddOptions<MessagingOptions>().BindConfiguration(MessagingOptions.Section).ValidateOnStart();
        services.AddSingleton<IValidateOptions<MessagingOptions>, MessagingOptionsValidator>();
        services.AddSingleton(provider => new MessagingTelemetry(provider.GetRequiredService<IMeterFactory>()));
        services.AddSingleton<BrokerConnectionState>();

        // First of the sessions: the others may publish as soon as they are open.
        services.AddSession(provider => new ConfirmedPublisher(provider.GetRequiredService<IOptions<MessagingOptions>>(), provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton(provider => new BrokerConnection(
            provider.GetRequiredService<IConnectionFactory>(), provider.GetServices<IBrokerSession>(), provider.GetRequiredService<BrokerConnectionState>(),
            provider.GetRequiredService<IOptions<MessagingOptions>>(), provider.GetRequiredService<TimeProvider>(), provider.GetRequiredService<ILogger<BrokerConnection>>()));
        services.AddHostedService(provider => provider.GetRequiredService<BrokerConnection>());
        services.AddHealthChecks().Add(new HealthCheckRegistration(HealthCheck, provider => provider.GetRequiredService<BrokerConnection>(), HealthStatus.Unhealthy, tags: null));
    }

    private static void AddSession<TSession>(this IServiceCollection services, Func<IServiceProvider, TSession> create) where TSession : class, IBrokerSession
    {
        services.AddSingleton(create);
        services.AddSingleton<IBrokerSession>(provider => provider.GetRequiredService<TSession>());
    }
}
