using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using AgentPlatform.Messaging.Broker;
using AgentPlatform.Messaging.Telemetry;
using AgentPlatform.Messaging.Wire;
using Microsoft.Extensions.Logging;

namespace AgentPlatform.Messaging.Answering;

/// <summary>A worker's ear for what gateways tell it.</summary>
/// <remarks>Safe for concurrent use.</remarks>
internal sealed partial class ControlListener : IControlHandler
{
    private readonly Cancellations _cancellations;
    private readonly TakeoverQuestions _claims;
    private readonly MessagingTelemetry _telemetry;
    private readonly RepeatedLog<string> _malformed;

    public ControlListener(Cancellations cancellations, TakeoverQuestions claims, MessagingTelemetry telemetry, TimeProvider time, ILogger<ControlListener> logger)
    {
        (_cancellations, _claims, _telemetry) = (cancellations, claims, telemetry);
        Topics = [CancelMessage.RoutingKey, GrantMessage.RoutingKey(claims.Worker)];
        _malformed = new(time, (reason, count) => MalformedControl(logger, count, reason));
    }

    /// <inheritdoc/>
    public IReadOnlyList<string> Topics { get; }

    /// <inheritdoc/>
    public void Receive(string topic, ReadOnlySpan<byte> message)
    {
        try
        {
            if (topic == CancelMessage.RoutingKey)
            {
                _cancellations.Cancel(Parse(message, ControlJsonContext.Default.CancelMessage));
            }
            else
            {
                _claims.Answer(Parse(message, ControlJsonContext.Default.GrantMessage));
            }
        }
        catch (JsonException e)
        {
            _telemetry.Malformed("infer.control");
            _malformed.Write(e.Message);
        }
    }

    private static TMessage Parse<TMessage>(ReadOnlySpan<byte> body, JsonTypeInfo<TMessage> type) => JsonSerializer.Deserialize(body, type) ?? throw new JsonException("The message is null.");

    [LoggerMessage(LogLevel.Error, "Dropped {Count} control messages, the latest since: {Reason}")]
    private static partial void MalformedControl(ILogger logger, int count, string reason);
}
