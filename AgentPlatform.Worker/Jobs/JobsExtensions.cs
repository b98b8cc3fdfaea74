using AgentPlatform.Api.Limits;
using AgentPlatform.Messaging;
using AgentPlatform.Messaging.Broker;
using AgentPlatform.Worker.Engines;
using AgentPlatform.Worker.Engines.Running;
using Microsoft.Extensions.Options;

namespace AgentPlatform.Worker.Jobs;

/// <summary>Registers the taking of jobs.</summary>
internal static partial class JobsExtensions
{
    /// <summary>Takes jobs for the worker's model from the broker; without a connection string the worker serves HTTP only.</summary>
    public static void AddJobs(this WebApplicationBuilder builder)
    {
        if (string.IsNullOrEmpty(builder.Configuration.GetConnectionString(MessagingExtensions.ConnectionName)))
        {
            return;
        }

        builder.AddBrokerConnection();
        builder.AddWorkerMessaging(static services =>
        {
            // As many as run: more would wait here while another worker is free. An engine that computes in batches has slots
            // for the batch that gathers while another is computed. Fewer where so many of the largest would not fit into memory.
            var model = services.GetRequiredService<IOptions<ModelOptions>>().Value;
            var slots = services.GetRequiredService<EngineSlots>().Total;
            var largest = Math.Min(
                services.GetRequiredService<IOptions<BrokerOptions>>().Value.MaxMessageSize,
                services.GetRequiredService<IOptions<InferenceApiOptions>>().Value.MaxBodySize);
            var prefetch = MemoryShare.OfJobs(MemoryShare.Available, slots, largest);
            if (prefetch < slots)
            {
                TakesFewer(
                    services.GetRequiredService<ILogger<JobLoop>>(), prefetch, slots, MemoryShare.Available / (1024 * 1024), largest);
            }

            return new JobSource(QueueNames.Job(model.Name, model.Version), (ushort)prefetch);
        });
        builder.Services.AddSingleton<JobMetrics>();
        builder.Services.AddSingleton<JobRunner>();

        // After the connection: the host stops in the reverse order, and draining jobs need it.
        builder.Services.AddHostedService<JobLoop>();
    }

    [LoggerMessage(
        LogLevel.Warning,
        "Takes {Prefetch} jobs at a time and not {Slots}, since {Available} MiB of memory hold no more of up to {Largest} bytes: "
        + "lower Api:MaxBodySize or give it more memory")]
    private static partial void TakesFewer(ILogger logger, int prefetch, int slots, long available, int largest);
}
