using AgentPlatform.Messaging.Broker;
using Microsoft.Extensions.Options;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;

namespace AgentPlatform.Messaging.RabbitMQ;

/// <summary>Publishes to the queue of dead jobs, and opens it on connections of their own.</summary>
/// <remarks>Safe for concurrent use.</remarks>
internal sealed class RabbitMQDeadLetters(
    ConfirmedPublisher publisher, IConnectionFactory factory, IOptions<QueueOptions> options, TimeProvider time) : IDeadLetters
{
    /// <inheritdoc/>
    public Task<PublishOutcome> PutAsync(BrokerMessage message) =>
        publisher.PublishAsync("", QueueNames.Dead, Amqp.Properties(message), message.Body);

    /// <inheritdoc/>
    public async Task<IDeadReader> OpenAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await RabbitMQDeadReader.OpenAsync(factory, options.Value, time, cancellationToken);
        }
        catch (BrokerUnreachableException e)
        {
            var reason = e.InnerException is AggregateException all ? all.InnerExceptions[0] : e.InnerException ?? e;
            throw new BrokerException($"The broker cannot be reached: {reason.Message}", e);
        }
        catch (Exception e) when (e is AlreadyClosedException or OperationInterruptedException)
        {
            throw RabbitMQDeadReader.Ended(e);
        }
    }
}
