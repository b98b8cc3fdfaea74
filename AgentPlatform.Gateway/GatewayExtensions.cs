using AgentPlatform.Api.Catalogue;
using AgentPlatform.Api.OpenAI;
using AgentPlatform.Gateway.Models;
using AgentPlatform.Gateway.Transports.Http;
using AgentPlatform.Gateway.Transports.Queue;
using AgentPlatform.Messaging;
using AgentPlatform.Messaging.Broker;
using AgentPlatform.Messaging.Contracts;
using AgentPlatform.Messaging.Control;
using AgentPlatform.Messaging.Jobs;
using AgentPlatform.Messaging.Replies;
using Microsoft.Extensions.Options;

namespace AgentPlatform.Gateway;

/// <summary>Puts the gateway together.</summary>
internal static class GatewayExtensions
{
    private const string UpstreamClient = "upstream";

    /// <summary>Adds the configured models with their transports, and the broker if one of them is reached through it.</summary>
    public static WebApplicationBuilder AddModels(this WebApplicationBuilder builder)
    {
        var services = builder.Services;
        services.AddOptions<ModelsOptions>().Configure<IConfiguration>(ModelsOptions.Read).ValidateOnStart();
        services.AddSingleton<IValidateOptions<ModelsOptions>, ModelsOptionsValidator>();
        services.AddSingleton(provider => new ModelRouter(provider.GetRequiredService<IOptions<ModelsOptions>>(), model => CreateTransport(provider, model)));
        services.AddSingleton<IInference>(provider => provider.GetRequiredService<ModelRouter>());
        services.AddSingleton<IModelCatalogue>(provider => provider.GetRequiredService<ModelRouter>());
        services.AddUpstreamClient();

        var models = new ModelsOptions();
        ModelsOptions.Read(models, builder.Configuration);
        var queues = models.Models.Where(model => model.Transport == Transport.Queue).Select(model => Topology.JobQueue(model.Name, model.Version)).ToList();
        if (queues.Count > 0)
        {
            builder.AddRabbitMQClient(
                "messaging",
                configureSettings: settings =>
                {
                    // AgentPlatform.Messaging has its own health check, and its own spans: one for a job instead of one for every message.
                    settings.DisableHealthChecks = true;
                    settings.DisableTracing = true;
                },
                configureConnectionFactory: factory => factory.AutomaticRecoveryEnabled = false);
            builder.AddGatewayMessaging(_ => new JobQueues(queues));
        }

        return builder;
    }

    // Without a timeout: requests have deadlines. Redirects are not followed, since a chat is not to be sent to somebody else.
    private static void AddUpstreamClient(this IServiceCollection services) => services
        .AddHttpClient(UpstreamClient, client => client.Timeout = Timeout.InfiniteTimeSpan)
        .ConfigurePrimaryHttpMessageHandler(() => new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            ConnectTimeout = TimeSpan.FromSeconds(5),
            PooledConnectionLifetime = TimeSpan.FromMinutes(2), // Finds new addresses of a name.
        })
        .SetHandlerLifetime(Timeout.InfiniteTimeSpan);

    private static IInference CreateTransport(IServiceProvider services, ModelOptions model)
    {
        var upstreamModel = string.IsNullOrEmpty(model.UpstreamModel) ? model.Name : model.UpstreamModel;
        switch (model.Transport)
        {
            case Transport.OpenAI:
                return new OpenAIInference(Client(), new OpenAIEndpoint(model.Endpoint!, upstreamModel, model.ApiKey));
            case Transport.Http:
                var agent = new AgentClient(Client(), new OpenAIEndpoint(model.Endpoint!, upstreamModel, model.ApiKey));
                var streams = new OpenAIInference(Client(), new OpenAIEndpoint(new Uri($"{model.Endpoint!.AbsoluteUri.TrimEnd('/')}/v1"), upstreamModel, model.ApiKey));
                var window = model.BatchWindow > TimeSpan.Zero
                    ? new BatchWindow(agent, model.BatchWindow, model.MaxBatchSize, services.GetRequiredService<TimeProvider>())
                    : null;
                return new HttpTransport(agent, streams, window);
            default:
                return new QueueTransport(
                    model.Name, model.Version, services.GetRequiredService<JobPublisher>(), services.GetRequiredService<ReplyReceiver>(), services.GetRequiredService<CancelPublisher>());
        }

        HttpClient Client() => services.GetRequiredService<IHttpClientFactory>().CreateClient(UpstreamClient);
    }
}
