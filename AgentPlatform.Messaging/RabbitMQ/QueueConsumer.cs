using RabbitMQ.Client;

namespace AgentPlatform.Messaging.RabbitMQ;

/// <summary>
/// A consumer of a queue that has to be there. The broker cancels it when the queue was deleted or expired, or went with its node; only a
/// new connection declares the queue again.
/// </summary>
internal abstract class QueueConsumer(IConnection connection, IChannel channel) : AsyncDefaultBasicConsumer(channel)
{
    /// <inheritdoc/>
    public override Task HandleBasicCancelAsync(string consumerTag, CancellationToken cancellationToken = default)
    {
        // Not awaited: the connection, and its loop that reads the broker's answers, would wait for this handler, and this handler for
        // them.
        _ = connection.AbortAsync(Constants.NotFound, "A queue that is consumed is gone.", CancellationToken.None);
        return Task.CompletedTask;
    }
}
