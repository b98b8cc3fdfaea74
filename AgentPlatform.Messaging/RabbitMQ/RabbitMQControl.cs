using AgentPlatform.Messaging.Broker;
using RabbitMQ.Client;

namespace AgentPlatform.Messaging.RabbitMQ;

/// <summary>Publishes to the control exchange.</summary>
/// <remarks>Safe for concurrent use.</remarks>
internal sealed class RabbitMQControlSender(ConfirmedPublisher publisher) : IControlSender
{
    /// <inheritdoc/>
    public void Send(string topic, ReadOnlyMemory<byte> message) => _ = publisher.PublishAsync(
        Topology.ControlExchange, topic, new BasicProperties { Persistent = false, ContentType = "application/json" }, message);
}

/// <summary>Consumes what is said on the control exchange, by a queue that goes with the connection.</summary>
internal sealed class RabbitMQControlReceiver(IControlHandler handler) : IBrokerSession
{
    /// <inheritdoc/>
    public async Task OpenAsync(IConnection connection, CancellationToken cancellationToken)
    {
        var channel = await connection.CreateChannelAsync(cancellationToken: cancellationToken);
        await Topology.DeclareControlExchangeAsync(channel, cancellationToken);
        var queue = await channel.QueueDeclareAsync(exclusive: true, cancellationToken: cancellationToken);
        foreach (var topic in handler.Topics)
        {
            await channel.QueueBindAsync(queue.QueueName, Topology.ControlExchange, topic, cancellationToken: cancellationToken);
        }

        await channel.BasicConsumeAsync(queue.QueueName, autoAck: true, new Consumer(handler, connection, channel), cancellationToken);
    }

    private sealed class Consumer(IControlHandler handler, IConnection connection, IChannel channel) : QueueConsumer(connection, channel)
    {
        public override Task HandleBasicDeliverAsync(
            string consumerTag, ulong deliveryTag, bool redelivered, string exchange, string routingKey,
            IReadOnlyBasicProperties properties, ReadOnlyMemory<byte> body,
            CancellationToken cancellationToken = default)
        {
            handler.Receive(routingKey, body.Span);
            return Task.CompletedTask;
        }
    }
}
