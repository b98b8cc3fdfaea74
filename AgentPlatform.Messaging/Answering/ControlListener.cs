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
    private readonly TakeoverQuestions _questions;
    private readonly MessagingTelemetry _telemetry;
    private readonly RepeatedLog<string> _malformed;

    public ControlListener(Cancellations cancellations, TakeoverQuestions questions, MessagingTelemetry telemetry, TimeProvider time,
        ILogger<ControlListener> logger)
    {
        (_cancellations, _questions, _telemetry) = (cancellations, questions, telemetry);
        Topics = [CancelMessage.RoutingKey, GrantMessage.RoutingKey(questions.Worker)];
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
                _questions.Answer(Parse(message, ControlJsonContext.Default.GrantMessage));
            }
        }
        catch (JsonException e)
        {
            _telemetry.Malformed(QueueNames.Control);
            _malformed.Write(e.Message);
        }
    }

    private static TMessage Parse<TMessage>(ReadOnlySpan<byte> body, JsonTypeInfo<TMessage> type) =>
        JsonSerializer.Deserialize(body, type) ?? throw new JsonException("The message is null.");

    [LoggerMessage(LogLevel.Error, "Dropped {Count} control messages, the latest since: {Reason}")]
    private static partial void MalformedControl(ILogger logger, int count, string reason);
}
