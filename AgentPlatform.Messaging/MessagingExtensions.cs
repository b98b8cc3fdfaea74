using System.Diagnostics.Metrics;
using AgentPlatform.Messaging.Admission;
using AgentPlatform.Messaging.Broker;
using AgentPlatform.Messaging.Control;
using AgentPlatform.Messaging.Dead;
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

/// <summary>
/// Registers the sides of the broker; a process may have both. They need an <see cref="IConnectionFactory"/> whose automatic recovery is
/// off, which <see cref="AddBrokerConnection"/> registers.
/// </summary>
public static class MessagingExtensions
{
    /// <summary>Name of the broker's connection string, <c>ConnectionStrings:messaging</c>.</summary>
    public const string ConnectionName = "messaging";

    /// <summary>Name of the health check that is unhealthy while the broker is away.</summary>
    public const string HealthCheck = "broker";

    /// <summary>Name of a worker's health check that is unhealthy while it holds a job beyond its deadline.</summary>
    public const string HeldJobsCheck = "jobs";

    /// <summary>The connection of Aspire's client, with the settings that this project relies on. A factory that is registered already stays.</summary>
    public static IHostApplicationBuilder AddBrokerConnection(this IHostApplicationBuilder builder)
    {
        if (!builder.Services.Has<IConnectionFactory>())
        {
            builder.AddRabbitMQClient(
                ConnectionName,
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

                    // A peer that is frozen or cut off holds jobs that it has not begun until the broker misses it, which is after two of these.
                    factory.RequestedHeartbeat = TimeSpan.FromSeconds(5);
                });
        }

        return builder;
    }

    /// <summary>The gateway's side: publishes jobs to <paramref name="queues"/> and receives their answers. Called again, it adds queues.</summary>
    public static IHostApplicationBuilder AddGatewayMessaging(this IHostApplicationBuilder builder, Func<IServiceProvider, JobQueues> queues)
    {
        builder.Services.AddSingleton(queues);
        if (builder.Services.Has<JobPublisher>())
        {
            return builder;
        }

        builder.AddBroker();
        builder.Services.AddOptions<AdmissionOptions>().BindConfiguration(AdmissionOptions.Section).ValidateOnStart();
        builder.Services.AddSingleton<IValidateOptions<AdmissionOptions>, AdmissionOptionsValidator>();
        builder.Services.AddSingleton(services => new ControlPublisher(services.GetRequiredService<ConfirmedPublisher>()));
        builder.Services.AddSingleton(services => new QueueAdmission(
            new AdmissionMetrics(services.GetRequiredService<IMeterFactory>()), services.GetRequiredService<IOptions<AdmissionOptions>>(), services.GetRequiredService<TimeProvider>()));
        builder.Services.AddSession(services => new ReplyReceiver(
            services.GetRequiredService<ControlPublisher>(), services.GetRequiredService<QueueAdmission>(), services.GetRequiredService<MessagingTelemetry>(),
            services.GetRequiredService<IOptions<MessagingOptions>>(), services.GetRequiredService<TimeProvider>(), services.GetRequiredService<ILogger<ReplyReceiver>>()));
        builder.Services.AddSession(services => new JobPublisher(
            services.GetRequiredService<BrokerConnectionState>(), services.GetRequiredService<ConfirmedPublisher>(), services.GetRequiredService<QueueAdmission>(),
            services.GetRequiredService<JobQueueDeclaration>(), services.GetRequiredService<MessagingTelemetry>(), services.GetServices<JobQueues>(), services.GetRequiredService<IOptions<MessagingOptions>>(), services.GetRequiredService<TimeProvider>()));
        builder.Services.AddSession(services => new QueueDepths(services.GetRequiredService<JobQueueDeclaration>()));
        builder.Services.AddHostedService(services => new RequestWatch(
            services.GetRequiredService<ReplyReceiver>(), services.GetRequiredService<JobPublisher>(), services.GetRequiredService<QueueDepths>(), services.GetRequiredService<DeadJobs>(),
            services.GetRequiredService<BrokerConnectionState>(), services.GetRequiredService<MessagingTelemetry>(), services.GetRequiredService<IOptions<MessagingOptions>>(),
            services.GetRequiredService<TimeProvider>(), services.GetRequiredService<ILogger<RequestWatch>>()));
        return builder;
    }

    /// <summary>The worker's side: takes jobs from one queue and sends their answers.</summary>
    public static IHostApplicationBuilder AddWorkerMessaging(this IHostApplicationBuilder builder, Func<IServiceProvider, JobSource> source)
    {
        builder.AddBroker();
        builder.Services.AddSingleton(source);

        // Two workers on one machine must be told apart.
        builder.Services.AddSingleton(services => new Claims($"{Environment.MachineName}.{Environment.ProcessId}", services.GetRequiredService<TimeProvider>()));
        builder.Services.AddSingleton<Cancellations>();
        builder.Services.AddSingleton(services => new HeldMessages(services.GetRequiredService<IMeterFactory>(), services.GetRequiredService<TimeProvider>()));
        builder.Services.AddHealthChecks().Add(
            new HealthCheckRegistration(HeldJobsCheck, services => services.GetRequiredService<HeldMessages>(), HealthStatus.Unhealthy, tags: null));
        builder.Services.AddSession(services => new ControlListener(
            services.GetRequiredService<Cancellations>(), services.GetRequiredService<Claims>(), services.GetRequiredService<MessagingTelemetry>(),
            services.GetRequiredService<TimeProvider>(), services.GetRequiredService<ILogger<ControlListener>>()));
        builder.Services.AddSession(services => new JobConsumer(
            services.GetRequiredService<JobSource>(), services.GetRequiredService<JobQueueDeclaration>(), services.GetRequiredService<DeadJobs>(), services.GetRequiredService<HeldMessages>(),
            services.GetRequiredService<MessagingTelemetry>(), services.GetRequiredService<TimeProvider>(), services.GetRequiredService<ILogger<JobConsumer>>()));
        builder.Services.AddHostedService(services => new ConsumerWatch(
            services.GetRequiredService<JobConsumer>(), services.GetRequiredService<HeldMessages>(), services.GetRequiredService<TimeProvider>(),
            services.GetRequiredService<ILogger<ConsumerWatch>>()));
        builder.Services.AddSingleton(services => new FrameSender(
            services.GetRequiredService<ConfirmedPublisher>(), services.GetRequiredService<MessagingTelemetry>(),
            services.GetRequiredService<IOptions<MessagingOptions>>(), services.GetRequiredService<TimeProvider>()));
        builder.Services.AddSession(services => new ReplyQueues(services.GetRequiredService<IOptions<MessagingOptions>>(), services.GetRequiredService<TimeProvider>()));
        builder.Services.AddHostedService(services => new GatewayWatch(
            services.GetRequiredService<FrameSender>(), services.GetRequiredService<ReplyQueues>(), services.GetRequiredService<IOptions<MessagingOptions>>(),
            services.GetRequiredService<TimeProvider>(), services.GetRequiredService<ILogger<GatewayWatch>>()));
        return builder;
    }

    private static void AddBroker(this IHostApplicationBuilder builder)
    {
        var services = builder.Services;
        if (services.Has<BrokerConnection>())
        {
            return;
        }

        services.TryAddSingleton(TimeProvider.System);
        services.AddOptions<MessagingOptions>().BindConfiguration(MessagingOptions.Section).ValidateOnStart();
        services.AddSingleton<IValidateOptions<MessagingOptions>, MessagingOptionsValidator>();
        services.AddSingleton<IValidateOptions<MessagingOptions>, LeaseValidator>();
        services.AddSingleton(provider => new MessagingTelemetry(provider.GetRequiredService<IMeterFactory>()));
        services.AddSingleton<BrokerConnectionState>();
        services.AddSingleton(provider => new DeadJobs(provider.GetRequiredService<ConfirmedPublisher>(), provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton(provider => new JobQueueDeclaration(
            provider.GetRequiredService<IOptions<MessagingOptions>>(), provider.GetRequiredService<ILogger<JobQueueDeclaration>>()));

        // First of the sessions: the others may publish as soon as they are open.
        services.AddSession(provider => new ConfirmedPublisher(
            provider.GetRequiredService<BrokerConnectionState>(), provider.GetRequiredService<IOptions<MessagingOptions>>(), provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton(provider => new BrokerConnection(
            provider.GetRequiredService<IConnectionFactory>(), provider.GetServices<IBrokerSession>(), provider.GetRequiredService<BrokerConnectionState>(),
            provider.GetRequiredService<IOptions<MessagingOptions>>(), provider.GetRequiredService<TimeProvider>(), provider.GetRequiredService<ILogger<BrokerConnection>>()));
        services.AddHostedService(provider => provider.GetRequiredService<BrokerConnection>());
        services.AddHealthChecks().Add(new HealthCheckRegistration(HealthCheck, provider => provider.GetRequiredService<BrokerConnection>(), HealthStatus.Unhealthy, ["shared"]));
    }

    private static bool Has<TService>(this IServiceCollection services) => services.Any(service => service.ServiceType == typeof(TService));

    private static void AddSession<TSession>(this IServiceCollection services, Func<IServiceProvider, TSession> create) where TSession : class, IBrokerSession
    {
        services.AddSingleton(create);
        services.AddSingleton<IBrokerSession>(provider => provider.GetRequiredService<TSession>());
    }
}
