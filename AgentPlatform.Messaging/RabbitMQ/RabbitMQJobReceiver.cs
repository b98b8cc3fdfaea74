using AgentPlatform.Messaging.Broker;
using Microsoft.Extensions.Logging;
using RabbitMQ.Client;

namespace AgentPlatform.Messaging.RabbitMQ;

/// <summary>Consumes a job queue and the lane beside it.</summary>
/// <remarks>Safe for concurrent use.</remarks>
internal sealed partial class RabbitMQJobReceiver(
    JobSource source, JobQueueDeclaration declaration, IJobHandler handler, ILogger<RabbitMQJobReceiver> logger)
    : IJobReceiver, IBrokerSession, IDisposable
{
    private readonly SemaphoreSlim _gate = new(1);
    private IConnection? _connection;
    private IChannel? _channel;
    private IReadOnlyList<string> _consumerTags = [];
    private bool _wanted;

    /// <inheritdoc/>
    public bool IsAttached => _consumerTags.Count > 0 && _channel is { IsOpen: true };

    /// <inheritdoc/>
    public Task AttachAsync(CancellationToken cancellationToken) => AloneAsync(async () =>
    {
        _wanted = true;
        if (_connection is { } connection && _channel is { IsOpen: true } channel)
        {
            await ConsumeAsync(connection, channel, cancellationToken);
        }
    }, cancellationToken);

    /// <inheritdoc/>
    public Task DetachAsync(CancellationToken cancellationToken) => AloneAsync(async () =>
    {
        _wanted = false;
        var tags = _consumerTags;
        _consumerTags = [];
        if (_channel is { IsOpen: true } channel)
        {
            foreach (var tag in tags)
            {
                await channel.BasicCancelAsync(tag, cancellationToken: cancellationToken);
            }
        }
    }, cancellationToken);

    /// <inheritdoc/>
    public Task ReconnectAsync() =>
        _connection?.AbortAsync(Constants.InternalError, "The consumer is silent.", CancellationToken.None) ?? Task.CompletedTask;

    /// <inheritdoc/>
    public void Dispose() => _gate.Dispose();

    /// <inheritdoc/>
    public async Task OpenAsync(IConnection connection, CancellationToken cancellationToken)
    {
        await _gate.WaitAsync(cancellationToken);
        try
        {
            var channel = await connection.CreateChannelAsync(cancellationToken: cancellationToken);
            await declaration.DeclareAsync(connection, source.Queue, cancellationToken);
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

    private async Task AloneAsync(Func<Task> call, CancellationToken cancellationToken)
    {
        await _gate.WaitAsync(cancellationToken);
        try
        {
            await call();
        }
        catch (Exception e) when (Amqp.IsGone(e) || e is OperationCanceledException)
        {
            // The broker went away meanwhile. What is wanted is known, and is done on the next connection.
            BrokerAway(logger, e.Message);
        }
        finally
        {
            _gate.Release();
        }
    }

    private async Task ConsumeAsync(IConnection connection, IChannel channel, CancellationToken cancellationToken)
    {
        await channel.BasicQosAsync(0, source.Prefetch, global: false, cancellationToken);
        var lost = new CancellationTokenSource();
        channel.ChannelShutdownAsync += (_, _) => lost.CancelAsync();
        var consumer = new Consumer(handler, connection, channel, lost.Token);
        _consumerTags =
        [
            await channel.BasicConsumeAsync(QueueNames.Resume(source.Queue), autoAck: false, consumer, cancellationToken),
            await channel.BasicConsumeAsync(source.Queue, autoAck: false, consumer, cancellationToken),
        ];
    }

    [LoggerMessage(LogLevel.Debug, "The broker is away: {Reason}")]
    private static partial void BrokerAway(ILogger logger, string reason);

    private sealed class Consumer(
        IJobHandler handler, IConnection connection, IChannel channel, CancellationToken lost) : QueueConsumer(connection, channel)
    {
        // The client reuses the body's memory once this method returns.
        public override Task HandleBasicDeliverAsync(
            string consumerTag, ulong deliveryTag, bool redelivered, string exchange, string routingKey,
            IReadOnlyBasicProperties properties, ReadOnlyMemory<byte> body,
            CancellationToken cancellationToken = default) =>
            handler.HandleAsync(Amqp.Message(properties, body.ToArray()), new Settlement(Channel, deliveryTag), redelivered, lost);
    }

    /// <summary>A delivery tag means nothing on another channel, so the tag never leaves this.</summary>
    private sealed class Settlement(IChannel channel, ulong tag) : ISettlement
    {
        public Task AcknowledgeAsync() => SettleAsync(() => channel.BasicAckAsync(tag, multiple: false, CancellationToken.None));

        public Task ReturnAsync() => SettleAsync(() => channel.BasicNackAsync(tag, multiple: false, requeue: true, CancellationToken.None));

        public Task RejectAsync() => SettleAsync(() => channel.BasicRejectAsync(tag, requeue: false, CancellationToken.None));

        private static async Task SettleAsync(Func<ValueTask> settle)
        {
            try
            {
                await settle();
            }
            catch (Exception e) when (Amqp.IsGone(e))
            {
                // The channel is gone and the broker has requeued the message.
            }
        }
    }
}
