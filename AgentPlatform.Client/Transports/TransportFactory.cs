using AgentPlatform.Client.Models;
using AgentPlatform.Client.Transports.Http;
using AgentPlatform.Client.Transports.Queue;
using AgentPlatform.Inference;
using AgentPlatform.Inference.OpenAI;
using AgentPlatform.Messaging.Asking;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace AgentPlatform.Client.Transports;

/// <summary>Makes the transport that a model's configuration names.</summary>
public static class TransportFactory
{
    /// <summary>The transport; <see cref="TransportExtensions.AddTransports"/> has registered what it needs.</summary>
    public static IInference Create(IServiceProvider services, ModelOptions model)
    {
        switch (model.Transport)
        {
            case Transport.OpenAI:
                return new OpenAIInference(Client(), new OpenAIEndpoint(model.Endpoint!, model.NameUpstream, model.ApiKey), Logger<OpenAIInference>());
            case Transport.Http:
                var agent = new AgentClient(Client(), new OpenAIEndpoint(model.Endpoint!, model.NameUpstream, model.ApiKey), Logger<AgentClient>());
                var streams = new OpenAIInference(Client(), new OpenAIEndpoint(new Uri($"{model.Endpoint!.AbsoluteUri.TrimEnd('/')}/v1"), model.NameUpstream, model.ApiKey), Logger<OpenAIInference>());
                var window = model.BatchWindow > TimeSpan.Zero
                    ? new BatchWindow(agent, model.BatchWindow, model.MaxBatchSize, services.GetRequiredService<TimeProvider>())
                    : null;
                return new HttpTransport(agent, streams, window);
            default:
                return new QueueTransport(
                    model.Name, model.Version, services.GetRequiredService<JobPublisher>(), services.GetRequiredService<ReplyReceiver>(), services.GetRequiredService<ControlPublisher>());
        }

        ILogger<T> Logger<T>() => services.GetRequiredService<ILogger<T>>();

        HttpClient Client() => services.GetRequiredService<IHttpClientFactory>().CreateClient(UpstreamClientExtensions.UpstreamClient);
    }
}
