using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace AgentPlatform.Messaging.Telemetry;

/// <summary>Spans and counters of the broker's path, named after OpenTelemetry's messaging conventions.</summary>
/// <remarks>Safe for concurrent use.</remarks>
public sealed class MessagingTelemetry(IMeterFactory meters)
{
    public const string Name = "AgentPlatform.Messaging";

    private static readonly ActivitySource _source = new(Name);

    private readonly Counter<long> _sent = meters.Create(Name)
        .CreateCounter<long>("messaging.client.sent.messages", "{message}", "Messages given to the broker");
    private readonly Counter<long> _consumed = meters.Create(Name)
        .CreateCounter<long>("messaging.client.consumed.messages", "{message}", "Messages taken from the broker");
    private readonly Counter<long> _frames = meters.Create(Name)
        .CreateCounter<long>("agentplatform.reply.frames", "{frame}", "Parts of answers sent to gateways; several share a message");

    private readonly Counter<long> _reissued = meters.Create(Name)
        .CreateCounter<long>("agentplatform.request.reissues", "{request}",
            "Requests that were given to another worker since theirs was silent");
    private readonly Counter<long> _deadLettered = meters.Create(Name)
        .CreateCounter<long>("agentplatform.request.dead_lettered", "{request}",
            "Requests that were given up since they break the workers that try them");

    private readonly Counter<long> _early = meters.Create(Name)
        .CreateCounter<long>("agentplatform.request.early_deadlines", "{request}",
            "Requests that workers refused as past their deadlines though they had time");
    private readonly Counter<long> _malformed = meters.Create(Name)
        .CreateCounter<long>("agentplatform.messages.malformed", "{message}", "What came over the broker and could not be read");

    public static Activity? StartSend(string destination) => Start("send", destination, ActivityKind.Producer, default);

    public static Activity? StartProcess(string destination, ActivityContext parent) =>
        Start("process", destination, ActivityKind.Consumer, parent);

    public static Activity? StartReceive(string destination) => Start("receive", destination, ActivityKind.Client, default);

    public void Sent(string destination) => _sent.Add(1, new KeyValuePair<string, object?>("messaging.destination.name", destination));

    public void Consumed(string destination) =>
        _consumed.Add(1, new KeyValuePair<string, object?>("messaging.destination.name", destination));

    public void FramesSent(int count) => _frames.Add(count);

    public void Reissued(string destination) =>
        _reissued.Add(1, new KeyValuePair<string, object?>("messaging.destination.name", destination));

    public void DeadLettered(string destination) =>
        _deadLettered.Add(1, new KeyValuePair<string, object?>("messaging.destination.name", destination));

    public void EndedEarly(string destination) =>
        _early.Add(1, new KeyValuePair<string, object?>("messaging.destination.name", destination));

    public void Malformed(string destination) =>
        _malformed.Add(1, new KeyValuePair<string, object?>("messaging.destination.name", destination));

    private static Activity? Start(string operation, string destination, ActivityKind kind, ActivityContext parent) =>
        _source.StartActivity(kind, parent, name: $"{operation} {destination}", tags:
        [
            new("messaging.system", "rabbitmq"),
            new("messaging.operation.name", operation),
            new("messaging.destination.name", destination),
        ]);
}
