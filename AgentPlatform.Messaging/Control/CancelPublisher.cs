using System.Text.Json;
using AgentPlatform.Messaging.Broker;
using RabbitMQ.Client;

namespace AgentPlatform.Messaging.Control;

/// <summary>Tells the workers that nobody waits for a request any more.</summary>
/// <remarks>Safe for concurrent use.</remarks>
public sealed class CancelPublisher
{
    private readonly ConfirmedPublisher _publisher;

    internal CancelPublisher(ConfirmedPublisher publisher) => _publisher = publisher;

    /// <summary>
    /// Sends the cancel without waiting. One that is lost with the connection is sent again when the worker's next frames come
    /// for a request that nobody awaits.
    /// </summary>
    public void Cancel(Guid requestId) => _ = _publisher.PublishAsync(
        Topology.ControlExchange, ControlMessage.Cancel, new BasicProperties { Persistent = false, ContentType = "application/json" },
        JsonSerializer.SerializeToUtf8Bytes(new ControlMessage(requestId), ControlJsonContext.Default.ControlMessage));
}
