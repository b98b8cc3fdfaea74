using AgentPlatform.Messaging.Broker;
using RabbitMQ.Client;

namespace AgentPlatform.Messaging.RabbitMQ;

/// <summary>Publishes jobs, and declares the queues that they go to.</summary>
/// <remarks>Safe for concurrent use.</remarks>
internal sealed class RabbitMQJobSender(
    ConfirmedPublisher publisher, JobQueueDeclaration declaration, IEnumerable<JobQueues> queues) : IJobSender, IBrokerSession
{
    private readonly IReadOnlyList<string> _queues = [.. queues.SelectMany(static some => some.Names).Distinct()];

    /// <inheritdoc/>
    public Task<PublishOutcome> SendAsync(string queue, BrokerMessage job, CancellationToken cancellationToken) => publisher.PublishAsync(
        Topology.JobExchange, queue, Amqp.Properties(job, canExpire: declaration.DropsExpired(queue)), job.Body, cancellationToken);

    /// <inheritdoc/>
    public async Task OpenAsync(IConnection connection, CancellationToken cancellationToken)
    {
        foreach (var queue in _queues)
        {
            await declaration.DeclareAsync(connection, queue, cancellationToken);
        }
    }
}
