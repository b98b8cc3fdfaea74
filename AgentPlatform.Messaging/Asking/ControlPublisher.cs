using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using AgentPlatform.Messaging.Broker;
using AgentPlatform.Messaging.Wire;

namespace AgentPlatform.Messaging.Asking;

/// <summary>
/// What a gateway tells workers: that nobody waits for a request any more, and what to do with a job that somebody may have begun.
/// </summary>
/// <remarks>
/// Safe for concurrent use. Nothing here waits for the broker: a cancel that is lost with the connection is sent again when the worker's
/// next frames come, and a worker repeats a question that is not answered.
/// </remarks>
public sealed class ControlPublisher(IControlSender control)
{
    /// <summary>Ends the runs of a request, or only those up to <paramref name="attempt"/>.</summary>
    public void Cancel(Guid requestId, ushort? attempt = null) =>
        Send(CancelMessage.RoutingKey, new CancelMessage(requestId, attempt), ControlJsonContext.Default.CancelMessage);

    internal void Answer(ClaimNote claim, GrantMessage answer) =>
        Send(GrantMessage.RoutingKey(claim.Worker), answer, ControlJsonContext.Default.GrantMessage);

    private void Send<TMessage>(string routingKey, TMessage message, JsonTypeInfo<TMessage> type) =>
        control.Send(routingKey, JsonSerializer.SerializeToUtf8Bytes(message, type));
}
