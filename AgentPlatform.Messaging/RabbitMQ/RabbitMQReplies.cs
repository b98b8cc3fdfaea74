using AgentPlatform.Messaging.Broker;
using Microsoft.Extensions.Options;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;

namespace AgentPlatform.Messaging.RabbitMQ;

/// <summary>Publishes frames to the reply queues of gateways.</summary>
/// <remarks>Safe for concurrent use.</remarks>
internal sealed class RabbitMQReplySender(ConfirmedPublisher publisher) : IReplySender
{
    /// <inheritdoc/>
    /// <remarks>By the default exchange: a reply queue is found by its name.</remarks>
    public Task<PublishOutcome> SendAsync(string address, ReadOnlyMemory<byte> frames) =>
        publisher.PublishAsync("", address, new BasicProperties { Persistent = false }, frames);
}

/// <summary>Consumes this gateway's reply queue.</summary>
internal sealed class RabbitMQReplyReceiver(IReplyHandler handler, IOptions<BrokerOptions> options) : IBrokerSession
{
    /// <inheritdoc/>
    public async Task OpenAsync(IConnection connection, CancellationToken cancellationToken)
    {
        var channel = await connection.CreateChannelAsync(cancellationToken: cancellationToken);
        try
        {
            await Topology.DeclareControlExchangeAsync(channel, cancellationToken);
            await Topology.DeclareReplyQueueAsync(channel, handler.Address, options.Value, cancellationToken);
        }
        catch (OperationInterruptedException e) when (Topology.IsAtLostNode(e))
        {
            await channel.DisposeAsync();
            channel = await connection.CreateChannelAsync(cancellationToken: cancellationToken);
            handler.ChangeAddress();
            await Topology.DeclareReplyQueueAsync(channel, handler.Address, options.Value, cancellationToken);
        }

        // No acknowledgement: frames that a gateway cannot handle any more are of no use to anybody else.
        await channel.BasicConsumeAsync(handler.Address, autoAck: true, new Consumer(handler, connection, channel), cancellationToken);
    }

    private sealed class Consumer(IReplyHandler handler, IConnection connection, IChannel channel) : QueueConsumer(connection, channel)
    {
        public override Task HandleBasicDeliverAsync(
            string consumerTag, ulong deliveryTag, bool redelivered, string exchange, string routingKey,
            IReadOnlyBasicProperties properties, ReadOnlyMemory<byte> body,
            CancellationToken cancellationToken = default)
        {
            handler.Receive(body);
            return Task.CompletedTask;
        }
    }
}
