using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using AgentPlatform.Messaging.Broker;
using Microsoft.Extensions.Logging;
using RabbitMQ.Client;

namespace AgentPlatform.Messaging.Control;

/// <summary>A worker's ear for what gateways tell it.</summary>
/// <remarks>Safe for concurrent use.</remarks>
internal sealed partial class ControlListener(Cancellations cancellations, Claims claims, ILogger<ControlListener> logger) : IBrokerSession
{
    async Task IBrokerSession.OpenAsync(IConnection connection, CancellationToken cancellationToken)
    {
        var channel = await connection.CreateChannelAsync(cancellationToken: cancellationToken);
        await Topology.DeclareControlExchangeAsync(channel, cancellationToken);
        var queue = await channel.QueueDeclareAsync(exclusive: true, cancellationToken: cancellationToken);
        foreach (var key in (string[])[CancelMessage.RoutingKey, GrantMessage.RoutingKey(claims.Worker)])
        {
            await channel.QueueBindAsync(queue.QueueName, Topology.ControlExchange, key, cancellationToken: cancellationToken);
        }

        await channel.BasicConsumeAsync(queue.QueueName, autoAck: true, new Consumer(this, channel), cancellationToken);
    }

    private void Receive(string routingKey, ReadOnlySpan<byte> body)
    {
        try
        {
            if (routingKey == CancelMessage.RoutingKey)
            {
                cancellations.Cancel(Parse(body, ControlJsonContext.Default.CancelMessage));
            }
            else
            {
                claims.Answer(Parse(body, ControlJsonContext.Default.GrantMessage));
            }
        }
        catch (JsonException e)
        {
            MalformedControl(logger, e.Message);
        }
    }

    private static TMessage Parse<TMessage>(ReadOnlySpan<byte> body, JsonTypeInfo<TMessage> type) => JsonSerializer.Deserialize(body, type) ?? throw new JsonException("The message is null.");

    [LoggerMessage(LogLevel.Error, "Dropped a control message: {Reason}")]
    private static partial void MalformedControl(ILogger logger, string reason);

    private sealed class Consumer(ControlListener owner, IChannel channel) : AsyncDefaultBasicConsumer(channel)
    {
        public override Task HandleBasicDeliverAsync(
            string consumerTag, ulong deliveryTag, bool redelivered, string exchange, string routingKey, IReadOnlyBasicProperties properties, ReadOnlyMemory<byte> body,
            CancellationToken cancellationToken = default)
        {
            owner.Receive(routingKey, body.Span);
            return Task.CompletedTask;
        }
    }
}
