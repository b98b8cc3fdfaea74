using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using AgentPlatform.Messaging.Broker;
using AgentPlatform.Messaging.Logging;
using Microsoft.Extensions.Logging;
using RabbitMQ.Client;

namespace AgentPlatform.Messaging.Control;

/// <summary>A worker's ear for what gateways tell it.</summary>
/// <remarks>Safe for concurrent use.</remarks>
internal sealed partial class ControlListener : IBrokerSession
{
    private readonly Cancellations _cancellations;
    private readonly Claims _claims;
    private readonly MessagingTelemetry _telemetry;
    private readonly RepeatedLog<string> _malformed;

    public ControlListener(Cancellations cancellations, Claims claims, MessagingTelemetry telemetry, TimeProvider time, ILogger<ControlListener> logger)
    {
        (_cancellations, _claims, _telemetry) = (cancellations, claims, telemetry);
        _malformed = new(time, (reason, count) => MalformedControl(logger, count, reason));
    }

    async Task IBrokerSession.OpenAsync(IConnection connection, CancellationToken cancellationToken)
    {
        var channel = await connection.CreateChannelAsync(cancellationToken: cancellationToken);
        await Topology.DeclareControlExchangeAsync(channel, cancellationToken);
        var queue = await channel.QueueDeclareAsync(exclusive: true, cancellationToken: cancellationToken);
        foreach (var key in (string[])[CancelMessage.RoutingKey, GrantMessage.RoutingKey(_claims.Worker)])
        {
            await channel.QueueBindAsync(queue.QueueName, Topology.ControlExchange, key, cancellationToken: cancellationToken);
        }

        await channel.BasicConsumeAsync(queue.QueueName, autoAck: true, new Consumer(this, connection, channel), cancellationToken);
    }

    internal void Receive(string routingKey, ReadOnlySpan<byte> body)
    {
        try
        {
            if (routingKey == CancelMessage.RoutingKey)
            {
                _cancellations.Cancel(Parse(body, ControlJsonContext.Default.CancelMessage));
            }
            else
            {
                _claims.Answer(Parse(body, ControlJsonContext.Default.GrantMessage));
            }
        }
        catch (JsonException e)
        {
            _telemetry.Malformed(Topology.ControlExchange);
            _malformed.Write(e.Message);
        }
    }

    private static TMessage Parse<TMessage>(ReadOnlySpan<byte> body, JsonTypeInfo<TMessage> type) => JsonSerializer.Deserialize(body, type) ?? throw new JsonException("The message is null.");

    [LoggerMessage(LogLevel.Error, "Dropped {Count} control messages, the latest since: {Reason}")]
    private static partial void MalformedControl(ILogger logger, int count, string reason);

    private sealed class Consumer(ControlListener owner, IConnection connection, IChannel channel) : QueueConsumer(connection, channel)
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
