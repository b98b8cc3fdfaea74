using System.Collections.Concurrent;
using System.Diagnostics;
using AgentPlatform.Messaging.Broker;
using AgentPlatform.Messaging.Contracts;
using AgentPlatform.Messaging.Control;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using RabbitMQ.Client;

namespace AgentPlatform.Messaging.Replies;

/// <summary>A gateway's one reply queue: hands each frame to the request that waits for it.</summary>
/// <remarks>Safe for concurrent use.</remarks>
public sealed partial class ReplyReceiver : IBrokerSession
{
    private readonly ConcurrentDictionary<Guid, ReplyAssembly> _waiting = new();
    private readonly CancelPublisher _cancels;
    private readonly MessagingTelemetry _telemetry;
    private readonly MessagingOptions _options;
    private readonly ILogger<ReplyReceiver> _logger;

    internal ReplyReceiver(CancelPublisher cancels, MessagingTelemetry telemetry, IOptions<MessagingOptions> options, ILogger<ReplyReceiver> logger)
    {
        (_cancels, _telemetry, _options, _logger) = (cancels, telemetry, options.Value, logger);
        ReplyQueue = Topology.ReplyQueue($"{Environment.MachineName}.{Guid.NewGuid():N}");
    }

    /// <summary>Where workers send the answers; a new name for each start, so that an instance never reads what an earlier one left.</summary>
    public string ReplyQueue { get; }

    /// <summary>Begins to gather the answer to a request; call before publishing it, and <see cref="Forget"/> when it is over.</summary>
    public ReplyAssembly Expect(Guid requestId)
    {
        var assembly = new ReplyAssembly(_options.ReplyCapacity);
        return _waiting.TryAdd(requestId, assembly) ? assembly : throw new InvalidOperationException($"Request {requestId} is already awaited.");
    }

    /// <summary>Nobody waits for the answer any more.</summary>
    public void Forget(Guid requestId) => _waiting.TryRemove(requestId, out _);

    /// <summary>Starts the span of an answer on its way back, from the published job to the last part.</summary>
    public Activity? StartReceiving() => MessagingTelemetry.StartReceive(ReplyQueue);

    async Task IBrokerSession.OpenAsync(IConnection connection, CancellationToken cancellationToken)
    {
        var channel = await connection.CreateChannelAsync(cancellationToken: cancellationToken);
        await Topology.DeclareControlExchangeAsync(channel, cancellationToken);
        await Topology.DeclareReplyQueueAsync(channel, ReplyQueue, _options, cancellationToken);

        // No acknowledgement: frames that a gateway cannot handle any more are of no use to anybody else.
        await channel.BasicConsumeAsync(ReplyQueue, autoAck: true, new Consumer(this, channel), cancellationToken);
    }

    private void Receive(ReadOnlyMemory<byte> message)
    {
        _telemetry.Consumed("infer.reply");
        try
        {
            foreach (var frame in FrameBatch.Read(message))
            {
                if (_waiting.TryGetValue(frame.RequestId, out var assembly))
                {
                    assembly.Accept(frame);
                }
                else if (frame.Kind is ReplyKind.Started or ReplyKind.Delta && frame.Offset % 64 <= 1)
                {
                    // The worker missed the cancel, or took the job after it. Not for every token: the next cancel is on its way.
                    _cancels.Cancel(frame.RequestId);
                }
            }
        }
        catch (FormatException e)
        {
            MalformedReply(_logger, e.Message);
        }
    }

    [LoggerMessage(LogLevel.Error, "Dropped a reply message: {Reason}")]
    private static partial void MalformedReply(ILogger logger, string reason);

    private sealed class Consumer(ReplyReceiver owner, IChannel channel) : AsyncDefaultBasicConsumer(channel)
    {
        // The broker cancels a consumer whose queue was deleted or expired; a new connection declares it again.
        public override Task HandleBasicCancelAsync(string consumerTag, CancellationToken cancellationToken = default) =>
            Channel.CloseAsync(404, "The reply queue is gone.", abort: true, CancellationToken.None);

        public override Task HandleBasicDeliverAsync(
            string consumerTag, ulong deliveryTag, bool redelivered, string exchange, string routingKey, IReadOnlyBasicProperties properties, ReadOnlyMemory<byte> body,
            CancellationToken cancellationToken = default)
        {
            owner.Receive(body);
            return Task.CompletedTask;
        }
    }
}
