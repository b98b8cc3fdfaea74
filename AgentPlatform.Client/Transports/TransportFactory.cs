using AgentPlatform.Client.Models;
using AgentPlatform.Client.Transports.Http;
using AgentPlatform.Client.Transports.Queue;
using AgentPlatform.Inference;
using AgentPlatform.Inference.Batching;
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
                return new OpenAIInference(Client(), new OpenAIEndpoint(model.Endpoint!, model.NameUpstream, model.ApiKey),
                    Logger<OpenAIInference>());
            case Transport.Http:
                var agent = new AgentClient(Client(), new OpenAIEndpoint(model.Endpoint!, model.NameUpstream, model.ApiKey),
                    Logger<AgentClient>());
                var streams = new OpenAIInference(Client(),
                    new OpenAIEndpoint(new Uri($"{model.Endpoint!.AbsoluteUri.TrimEnd('/')}/v1"), model.NameUpstream, model.ApiKey),
                    Logger<OpenAIInference>());
                return new HttpTransport(agent, streams, model.BatchWindow > TimeSpan.Zero ? Batcher(agent) : null);
            default:
                return new QueueTransport(
                    model.Name, model.Version, services.GetRequiredService<JobPublisher>(), services.GetRequiredService<ReplyReceiver>(),
                    services.GetRequiredService<ControlPublisher>());
        }

        // An agent takes as many batches at once as come.
        MicroBatcher<InferenceRequest, ReadOnlyMemory<byte>> Batcher(AgentClient agent) => new(
            agent.SendBatchAsync, new BatchingOptions { MaxBatchSize = model.MaxBatchSize, MaxDelay = model.BatchWindow },
            services.GetRequiredService<TimeProvider>(), maxConcurrentBatches: int.MaxValue);

        ILogger<T> Logger<T>() => services.GetRequiredService<ILogger<T>>();

        HttpClient Client() => services.GetRequiredService<IHttpClientFactory>().CreateClient(UpstreamClientExtensions.UpstreamClient);
    }
}
