using AgentPlatform.Messaging;
using AgentPlatform.Messaging.Broker;
using AgentPlatform.Messaging.Jobs;
using AgentPlatform.Worker.Engines;
using Microsoft.Extensions.Options;

namespace AgentPlatform.Worker.Jobs;

/// <summary>Registers the taking of jobs.</summary>
internal static class JobsExtensions
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
            // for the batch that gathers while another is computed.
            var model = services.GetRequiredService<IOptions<ModelOptions>>().Value;
            return new JobSource(Topology.JobQueue(model.Name, model.Version), (ushort)services.GetRequiredService<EngineSlots>().Total);
        });
        builder.Services.AddSingleton<JobMetrics>();
        builder.Services.AddSingleton<JobRunner>();

        // After the connection: the host stops in the reverse order, and draining jobs need it.
        builder.Services.AddHostedService<JobLoop>();
    }
}
