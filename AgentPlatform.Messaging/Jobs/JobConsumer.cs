using System.Threading.Channels;
using AgentPlatform.Messaging.Broker;
using AgentPlatform.Messaging.Dead;
using AgentPlatform.Messaging.Logging;
using Microsoft.Extensions.Logging;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;

namespace AgentPlatform.Messaging.Jobs;

/// <summary>What a worker consumes.</summary>
/// <param name="Queue">Name of the queue; the lane beside it for requests that are resumed is consumed too.</param>
/// <param name="Prefetch">How many jobs of either it holds at most.</param>
public sealed record JobSource(string Queue, ushort Prefetch);

/// <summary>Takes jobs from a model version's queue, over any number of connections, while it is attached.</summary>
/// <remarks><see cref="ReadAsync"/> has one reader; everything else is safe for concurrent use.</remarks>
public sealed partial class JobConsumer : IBrokerSession, IDisposable
{
    // Unbounded in form only: the prefetch bounds what the broker sends.
    private readonly Channel<Delivery> _deliveries = Channel.CreateUnbounded<Delivery>(new UnboundedChannelOptions { SingleReader = true });
    private readonly SemaphoreSlim _gate = new(1);
    private readonly JobSource _source;
    private readonly JobQueueDeclaration _declaration;
    private readonly MessagingTelemetry _telemetry;
    private readonly DeadJobs _dead;
    private readonly HeldMessages _held;
    private readonly TimeProvider _time;
    private readonly RepeatedLog<(string? MessageId, string Reason)> _notJobs;
    private IConnection? _connection;
    private IChannel? _channel;
    private IReadOnlyList<string> _consumerTags = [];
    private bool _wanted;
    private long _delivered;

    internal JobConsumer(
        JobSource source, JobQueueDeclaration declaration, DeadJobs dead, HeldMessages held, MessagingTelemetry telemetry, TimeProvider time, ILogger<JobConsumer> logger)
    {
        (_source, _declaration, _dead, _held, _telemetry, _time) = (source, declaration, dead, held, telemetry, time);
        _notJobs = new(time, (message, count) => NotAJob(logger, count, message.MessageId, message.Reason));
    }

    /// <summary>How many messages the broker has sent here.</summary>
    internal long Delivered => Interlocked.Read(ref _delivered);

    /// <summary>Whether the broker sends jobs here now.</summary>
    public bool IsAttached => _consumerTags.Count > 0 && _channel is { IsOpen: true };

    /// <summary>The jobs, as the broker sends them; ends after <see cref="DetachAsync"/>.</summary>
    public IAsyncEnumerable<Delivery> ReadAsync(CancellationToken cancellationToken) => _deliveries.Reader.ReadAllAsync(cancellationToken);

    /// <summary>Starts taking jobs: now if the broker is there, and again after each reconnect.</summary>
    public async Task AttachAsync(CancellationToken cancellationToken)
    {
        await _gate.WaitAsync(cancellationToken);
        try
        {
            _wanted = true;
            if (_connection is { } connection && _channel is { IsOpen: true } channel)
            {
                await ConsumeAsync(connection, channel, cancellationToken);
            }
        }
        finally
        {
            _gate.Release();
        }
    }

    /// <summary>Takes no further job; those already delivered stay this worker's.</summary>
    public async Task DetachAsync(CancellationToken cancellationToken)
    {
        await _gate.WaitAsync(cancellationToken);
        try
        {
            _wanted = false;
            if (_channel is { IsOpen: true } channel)
            {
                foreach (var tag in _consumerTags)
                {
                    await channel.BasicCancelAsync(tag, cancellationToken: cancellationToken);
                }
            }
        }
        finally
        {
            _consumerTags = [];
            _deliveries.Writer.TryComplete();
            _gate.Release();
        }
    }

    /// <summary>How many jobs wait in its queue and the lane beside it; null while the broker does not say.</summary>
    internal async Task<uint?> CountWaitingAsync(CancellationToken cancellationToken)
    {
        if (_connection is not { IsOpen: true } connection)
        {
            return null;
        }

        try
        {
            await using var channel = await connection.CreateChannelAsync(cancellationToken: cancellationToken);
            return await channel.MessageCountAsync(_source.Queue, cancellationToken)
                + await channel.MessageCountAsync(Topology.ResumeQueue(_source.Queue), cancellationToken);
        }
        catch (Exception e) when (e is RabbitMQClientException or IOException or ObjectDisposedException or TimeoutException)
        {
            return null;
        }
    }

    /// <summary>Ends the connection, so that another one is made and everything on it set up anew.</summary>
    internal Task ReplaceConnectionAsync() =>
        _connection?.AbortAsync(Constants.InternalError, "The consumer is silent.", CancellationToken.None) ?? Task.CompletedTask;

    /// <inheritdoc/>
    public void Dispose() => _gate.Dispose();

    async Task IBrokerSession.OpenAsync(IConnection connection, CancellationToken cancellationToken)
    {
        await _gate.WaitAsync(cancellationToken);
        try
        {
            var channel = await connection.CreateChannelAsync(cancellationToken: cancellationToken);
            await _declaration.DeclareAsync(connection, _source.Queue, cancellationToken);
            (_connection, _channel, _consumerTags) = (connection, channel, []);
            if (_wanted)
            {
                await ConsumeAsync(connection, channel, cancellationToken);
            }
        }
        finally
        {
            _gate.Release();
        }
    }

    private async Task ConsumeAsync(IConnection connection, IChannel channel, CancellationToken cancellationToken)
    {
        await channel.BasicQosAsync(0, _source.Prefetch, global: false, cancellationToken);
        var lost = new CancellationTokenSource();
        channel.ChannelShutdownAsync += (_, _) => lost.CancelAsync();
        var consumer = new Consumer(this, connection, channel, lost.Token);
        _consumerTags =
        [
            await channel.BasicConsumeAsync(Topology.ResumeQueue(_source.Queue), autoAck: false, consumer, cancellationToken),
            await channel.BasicConsumeAsync(_source.Queue, autoAck: false, consumer, cancellationToken),
        ];
    }

    [LoggerMessage(LogLevel.Error, "Dead-lettered {Count} messages that are no jobs, the latest with the id {MessageId}: {Reason}")]
    private static partial void NotAJob(ILogger logger, int count, string? messageId, string reason);

    private sealed class Consumer(JobConsumer owner, IConnection connection, IChannel channel, CancellationToken lost) : QueueConsumer(connection, channel)
    {
        /// <summary>Every message that comes here is handed over, or settled before this returns: the finally is the one place that sees to it, whatever is thrown.</summary>
        public override async Task HandleBasicDeliverAsync(
            string consumerTag, ulong deliveryTag, bool redelivered, string exchange, string routingKey, IReadOnlyBasicProperties properties, ReadOnlyMemory<byte> body,
            CancellationToken cancellationToken = default)
        {
            var queue = owner._source.Queue;
            Interlocked.Increment(ref owner._delivered);
            var receipt = owner._held.Take(Channel, deliveryTag);
            var isHandedOver = false;
            try
            {
                owner._telemetry.Consumed(queue);

                // The client reuses the body's memory once this method returns.
                var job = JobMessage.Read(properties, body.ToArray(), owner._time);
                receipt.Limit = job.Request.TimeLimit;
                isHandedOver = owner._deliveries.Writer.TryWrite(new Delivery(receipt, job, queue, redelivered, lost));
                if (!isHandedOver)
                {
                    await receipt.ReturnAsync();
                }
            }
            catch (FormatException e)
            {
                owner._telemetry.Malformed(queue);
                owner._notJobs.Write((properties.MessageId, e.Message));
                if (await owner._dead.PublishMalformedAsync(properties, body, queue, e.Message) == PublishOutcome.Confirmed)
                {
                    await receipt.AcknowledgeAsync();
                }
            }
            finally
            {
                if (!isHandedOver)
                {
                    await receipt.RejectAsync();
                }
            }
        }
    }
}
