using AgentPlatform.Messaging.Answering;
using AgentPlatform.Messaging.Asking;
using AgentPlatform.Messaging.Asking.Admission;
using AgentPlatform.Messaging.Broker;
using AgentPlatform.Messaging.Dead;
using AgentPlatform.Messaging.RabbitMQ;
using AgentPlatform.Messaging.Telemetry;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace AgentPlatform.Messaging;

/// <summary>
/// Registers the sides of the broker; a process may have both. The broker is RabbitMQ, unless another one's ports are registered before
/// (<see cref="IJobSender"/> and its like).
/// </summary>
public static class MessagingExtensions
{
    /// <summary>Name of the broker's connection string, <c>ConnectionStrings:messaging</c>.</summary>
    public const string ConnectionName = "messaging";

    /// <summary>Name of the health check that is unhealthy while the broker is away.</summary>
    public const string HealthCheck = "broker";

    /// <summary>Name of a worker's health check that is unhealthy while it holds a job beyond its deadline.</summary>
    public const string HeldJobsCheck = "jobs";

    /// <summary>Where the address of the broker may be configured.</summary>
    public static IReadOnlyList<string> AddressKeys { get; } =
        [$"ConnectionStrings:{ConnectionName}", $"Aspire:RabbitMQ:Client:{ConnectionName}:ConnectionString",
            "Aspire:RabbitMQ:Client:ConnectionString"];

    /// <summary>
    /// The connection of Aspire's client, with the settings that this project relies on. A connection factory that is registered already
    /// stays.
    /// </summary>
    public static IHostApplicationBuilder AddBrokerConnection(this IHostApplicationBuilder builder) =>
        builder.AddRabbitMQConnection(ConnectionName);

    /// <summary>
    /// The gateway's side: sends jobs to <paramref name="queues"/> and receives their answers. Called again, it adds queues.
    /// </summary>
    public static IHostApplicationBuilder AddGatewayMessaging(
        this IHostApplicationBuilder builder, Func<IServiceProvider, JobQueues> queues)
    {
        var services = builder.Services;
        services.AddSingleton(queues);
        if (services.Has<JobPublisher>())
        {
            return builder;
        }

        services.AddShared();
        services.AddOptions<AdmissionOptions>().BindConfiguration(AdmissionOptions.Section).ValidateOnStart();
        services.AddSingleton<IValidateOptions<AdmissionOptions>, AdmissionOptionsValidator>();
        services.AddSingleton<AdmissionMetrics>();
        services.AddSingleton<QueueAdmission>();
        services.AddSingleton<ControlPublisher>();
        services.AddSingleton<ReplyReceiver>();
        services.AddSingleton<IReplyHandler>(static provider => provider.GetRequiredService<ReplyReceiver>());
        services.AddSingleton<JobPublisher>();
        if (!services.Has<IJobSender>())
        {
            services.AddRabbitMQAsking();
        }

        // After the connection: a host stops its services in reverse.
        services.AddHostedService<RequestWatch>();
        return builder;
    }

    /// <summary>The worker's side: takes jobs from one queue and sends their answers.</summary>
    public static IHostApplicationBuilder AddWorkerMessaging(this IHostApplicationBuilder builder, Func<IServiceProvider, JobSource> source)
    {
        var services = builder.Services;
        services.AddSingleton(source);
        services.AddShared();
        services.AddSingleton<TakeoverQuestions>();
        services.AddSingleton<Cancellations>();
        services.AddSingleton<HeldMessages>();
        services.AddHealthChecks().AddCheck<HeldMessages>(HeldJobsCheck, HealthStatus.Unhealthy);
        services.AddSingleton<IControlHandler, ControlListener>();
        services.AddSingleton<JobInbox>();
        services.TryAddSingleton<IJobHandler>(static provider => provider.GetRequiredService<JobInbox>());
        services.AddSingleton<FrameSender>();
        services.AddSingleton<ReplyQueues>();
        if (!services.Has<IJobReceiver>())
        {
            services.AddRabbitMQAnswering();
        }

        // After the connection: a host stops its services in reverse.
        services.AddHostedService<GatewayWatch>();
        services.AddHostedService<ConsumerWatch>();
        return builder;
    }

    private static void AddShared(this IServiceCollection services)
    {
        if (services.Has<MessagingTelemetry>())
        {
            return;
        }

        services.TryAddSingleton(TimeProvider.System);
        services.AddOptions<BrokerOptions>().BindConfiguration(BrokerOptions.Section).ValidateOnStart();
        services.AddSingleton<IValidateOptions<BrokerOptions>, BrokerOptionsValidator>();
        services.AddOptions<AnsweringOptions>().BindConfiguration(AnsweringOptions.Section).ValidateOnStart();
        services.AddSingleton<IValidateOptions<AnsweringOptions>, AnsweringOptionsValidator>();
        services.AddOptions<AskingOptions>().BindConfiguration(AskingOptions.Section).ValidateOnStart();
        services.AddSingleton<IValidateOptions<AskingOptions>, AskingOptionsValidator>();
        services.AddSingleton<IValidateOptions<AskingOptions>, MessagingRules>();
        services.AddSingleton<MessagingTelemetry>();
        services.TryAddSingleton<BrokerState>();
        services.AddSingleton<DeadJobs>();
        services.AddHealthChecks().AddCheck<BrokerHealth>(HealthCheck, HealthStatus.Unhealthy, ["shared"]);
    }
}
