using System.Runtime.CompilerServices;
using AgentPlatform.Messaging.Broker;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;

namespace AgentPlatform.Messaging.Dead;

/// <summary>A message of <see cref="Topology.DeadQueue"/> while a <see cref="DeadReader"/> holds it.</summary>
public sealed record HeldJob(DeadJob Job)
{
    internal ulong Tag { get; init; }
}

/// <summary>
/// A look into <see cref="Topology.DeadQueue"/>, on a connection of its own. AMQP can show a message only by handing it out, so every message
/// that was read stays with this reader, unacknowledged, until it is removed or given back, at the latest when the reader is disposed of or its
/// process dies. Others would meanwhile see an empty queue; therefore readers take turns.
/// </summary>
/// <remarks>Not for concurrent use.</remarks>
public sealed class DeadReader : IAsyncDisposable
{
    // An exclusive queue as a lock: the broker lets one connection have it, and takes it away with the connection.
    private const string Turn = "infer.dead.reader";

    private static readonly TimeSpan _turnLimit = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan _turnPause = TimeSpan.FromMilliseconds(100);

    private readonly IConnection _connection;
    private readonly IChannel _channel;
    private ulong _lastTag;

    private DeadReader(IConnection connection, IChannel channel) => (_connection, _channel) = (connection, channel);

    /// <summary>Waits for its turn and opens the queue.</summary>
    /// <exception cref="TimeoutException">Somebody else has been looking at it for too long.</exception>
    public static async Task<DeadReader> OpenAsync(IConnectionFactory factory, MessagingOptions options, TimeProvider time, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(factory);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(time);
        var connection = await factory.CreateConnectionAsync(cancellationToken);
        try
        {
            await TakeTurnAsync(connection, time, cancellationToken);
            await Topology.DeclareDeadQueueAsync(connection, options, cancellationToken);
            return new DeadReader(connection, await connection.CreateChannelAsync(cancellationToken: cancellationToken));
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    /// <summary>All that is in the queue, in no particular order; each is held from then on.</summary>
    public async IAsyncEnumerable<HeldJob> ReadAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        while (await _channel.BasicGetAsync(Topology.DeadQueue, autoAck: false, cancellationToken) is { } message)
        {
            _lastTag = message.DeliveryTag;
            yield return new HeldJob(DeadJobParser.Parse(message.BasicProperties, message.Body)) { Tag = message.DeliveryTag };
        }
    }

    /// <summary>Gives everything back but these, and its turn to the next reader. Nothing is read after it.</summary>
    public async Task KeepOnlyAsync(IReadOnlyCollection<HeldJob> kept, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(kept);
        var tags = kept.Select(job => job.Tag).ToHashSet();
        for (ulong tag = 1; tag <= _lastTag; tag++)
        {
            if (!tags.Contains(tag))
            {
                await _channel.BasicNackAsync(tag, multiple: false, requeue: true, cancellationToken);
            }
        }

        await _channel.QueueDeleteAsync(Turn, cancellationToken: cancellationToken);
    }

    /// <summary>Removes a held message for good.</summary>
    /// <exception cref="AlreadyClosedException">The connection broke, and the broker has the message back.</exception>
    public ValueTask RemoveAsync(HeldJob job, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(job);
        return _channel.BasicAckAsync(job.Tag, multiple: false, cancellationToken);
    }

    /// <summary>How many workers take jobs from a queue now; null if there is no such queue.</summary>
    public async Task<uint?> CountConsumersAsync(string queue, CancellationToken cancellationToken)
    {
        await using var channel = await _connection.CreateChannelAsync(cancellationToken: cancellationToken);
        try
        {
            return (await channel.QueueDeclarePassiveAsync(queue, cancellationToken)).ConsumerCount;
        }
        catch (OperationInterruptedException e) when (e.ShutdownReason?.ReplyCode == Constants.NotFound)
        {
            return null;
        }
    }

    /// <summary>Gives back what is still held. When it returns, the broker has handled that and every removal.</summary>
    public async ValueTask DisposeAsync()
    {
        try
        {
            // Given back by name and not only by the channel's end, which the broker handles some time later: the next reader would miss some.
            await _channel.BasicNackAsync(0, multiple: true, requeue: true, CancellationToken.None);
            await _channel.CloseAsync(CancellationToken.None);
        }
        catch (Exception e) when (e is AlreadyClosedException or OperationInterruptedException or IOException)
        {
            // The broker has taken back what it had handed out.
        }

        await _connection.DisposeAsync();
    }

    private static async Task TakeTurnAsync(IConnection connection, TimeProvider time, CancellationToken cancellationToken)
    {
        var began = time.GetTimestamp();
        while (true)
        {
            await using var channel = await connection.CreateChannelAsync(cancellationToken: cancellationToken);
            try
            {
                await channel.QueueDeclareAsync(Turn, durable: false, exclusive: true, autoDelete: false, cancellationToken: cancellationToken);
                return;
            }
            catch (OperationInterruptedException e) when (e.ShutdownReason?.ReplyCode == Constants.ResourceLocked)
            {
                if (time.GetElapsedTime(began) > _turnLimit)
                {
                    throw new TimeoutException("Somebody else is looking at the dead jobs; try again later.", e);
                }
            }

            await Task.Delay(_turnPause, time, cancellationToken);
        }
    }
}
