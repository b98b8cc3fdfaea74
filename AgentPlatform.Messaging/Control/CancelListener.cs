using System.Collections.Concurrent;
using System.Text.Json;
using AgentPlatform.Messaging.Broker;
using Microsoft.Extensions.Logging;
using RabbitMQ.Client;

namespace AgentPlatform.Messaging.Control;

/// <summary>A worker's ear for cancelled requests, those that it works on and those that it will be given.</summary>
/// <remarks>Safe for concurrent use.</remarks>
public sealed partial class CancelListener : IBrokerSession
{
    // A cancel may overtake its job, which waits in the queue. How many such cancels are remembered.
    private const int Remembered = 8192;

    private readonly ConcurrentDictionary<Guid, CancellationTokenSource> _running = new();
    private readonly ConcurrentDictionary<Guid, byte> _early = new();
    private readonly ConcurrentQueue<Guid> _earlyOrder = new();
    private readonly ILogger<CancelListener> _logger;

    internal CancelListener(ILogger<CancelListener> logger) => _logger = logger;

    /// <summary>Cancels <paramref name="work"/> when a cancel for the request comes, or at once if one came before. Dispose when the work is over.</summary>
    public IDisposable Watch(Guid requestId, CancellationTokenSource work)
    {
        _running[requestId] = work;
        if (_early.TryRemove(requestId, out _))
        {
            work.Cancel();
        }

        return new Registration(this, requestId, work);
    }

    async Task IBrokerSession.OpenAsync(IConnection connection, CancellationToken cancellationToken)
    {
        var channel = await connection.CreateChannelAsync(cancellationToken: cancellationToken);
        await Topology.DeclareControlExchangeAsync(channel, cancellationToken);
        var queue = await channel.QueueDeclareAsync(exclusive: true, cancellationToken: cancellationToken);
        await channel.QueueBindAsync(queue.QueueName, Topology.ControlExchange, ControlMessage.Cancel, cancellationToken: cancellationToken);
        await channel.BasicConsumeAsync(queue.QueueName, autoAck: true, new Consumer(this, channel), cancellationToken);
    }

    private async Task ReceiveAsync(ReadOnlyMemory<byte> body)
    {
        ControlMessage? message = null;
        try
        {
            message = JsonSerializer.Deserialize(body.Span, ControlJsonContext.Default.ControlMessage);
        }
        catch (JsonException e)
        {
            MalformedControl(_logger, e.Message);
        }

        if (message is null)
        {
            return;
        }

        if (_running.TryGetValue(message.RequestId, out var work))
        {
            try
            {
                await work.CancelAsync();
            }
            catch (ObjectDisposedException)
            {
                // The work was over at the same moment.
            }
        }
        else if (_early.TryAdd(message.RequestId, 0))
        {
            _earlyOrder.Enqueue(message.RequestId);
            if (_earlyOrder.Count > Remembered && _earlyOrder.TryDequeue(out var oldest))
            {
                _early.TryRemove(oldest, out _);
            }
        }
    }

    [LoggerMessage(LogLevel.Error, "Dropped a control message: {Reason}")]
    private static partial void MalformedControl(ILogger logger, string reason);

    private sealed class Registration(CancelListener owner, Guid requestId, CancellationTokenSource work) : IDisposable
    {
        // Only its own: the request may have come back to this worker while an engine was slow to give up the lost delivery.
        public void Dispose() => owner._running.TryRemove(new KeyValuePair<Guid, CancellationTokenSource>(requestId, work));
    }

    private sealed class Consumer(CancelListener owner, IChannel channel) : AsyncDefaultBasicConsumer(channel)
    {
        public override Task HandleBasicDeliverAsync(
            string consumerTag, ulong deliveryTag, bool redelivered, string exchange, string routingKey, IReadOnlyBasicProperties properties, ReadOnlyMemory<byte> body,
            CancellationToken cancellationToken = default) => owner.ReceiveAsync(body);
    }
}
