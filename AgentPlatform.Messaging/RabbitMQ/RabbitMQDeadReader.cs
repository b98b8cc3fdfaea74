using System.Runtime.CompilerServices;
using AgentPlatform.Messaging.Broker;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;

namespace AgentPlatform.Messaging.RabbitMQ;

/// <summary>
/// A look into <see cref="QueueNames.Dead"/>, on a connection of its own. AMQP can show a message only by handing it out, so every message
/// that was read stays with this reader, unacknowledged, until it is removed or given back, at the latest when the reader is disposed of or
/// its process dies. Others would meanwhile see an empty queue; therefore readers take turns.
/// </summary>
/// <remarks>Not for concurrent use.</remarks>
internal sealed class RabbitMQDeadReader : IDeadReader
{
    // An exclusive queue as a lock: the broker lets one connection have it, and takes it away with the connection.
    private const string Turn = "infer.dead.reader";

    private static readonly TimeSpan _turnLimit = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan _turnPause = TimeSpan.FromMilliseconds(100);

    private readonly IConnection _connection;
    private readonly IChannel _channel;
    private ulong _lastTag;

    private RabbitMQDeadReader(IConnection connection, IChannel channel) => (_connection, _channel) = (connection, channel);

    /// <summary>Waits for its turn and opens the queue.</summary>
    /// <exception cref="TimeoutException">Somebody else has been looking at it for too long.</exception>
    public static async Task<RabbitMQDeadReader> OpenAsync(
        IConnectionFactory factory, QueueOptions options, TimeProvider time, CancellationToken cancellationToken)
    {
        var connection = await factory.CreateConnectionAsync(cancellationToken);
        try
        {
            await TakeTurnAsync(connection, time, cancellationToken);
            await Topology.DeclareDeadQueueAsync(connection, options, cancellationToken);
            return new RabbitMQDeadReader(connection, await connection.CreateChannelAsync(cancellationToken: cancellationToken));
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<HeldMessage> ReadAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        while (await OnBrokerAsync(() => _channel.BasicGetAsync(QueueNames.Dead, autoAck: false, cancellationToken)) is { } message)
        {
            _lastTag = message.DeliveryTag;
            yield return new HeldMessage(Amqp.Message(message.BasicProperties, message.Body), message.DeliveryTag);
        }
    }

    /// <inheritdoc/>
    public async Task KeepOnlyAsync(IReadOnlyCollection<HeldMessage> kept, CancellationToken cancellationToken)
    {
        var tags = kept.Select(message => message.Tag).ToHashSet();
        await OnBrokerAsync(async () =>
        {
            for (ulong tag = 1; tag <= _lastTag; tag++)
            {
                if (!tags.Contains(tag))
                {
                    await _channel.BasicNackAsync(tag, multiple: false, requeue: true, cancellationToken);
                }
            }

            return await _channel.QueueDeleteAsync(Turn, cancellationToken: cancellationToken);
        });
    }

    /// <inheritdoc/>
    public Task RemoveAsync(HeldMessage message, CancellationToken cancellationToken) => OnBrokerAsync(async () =>
    {
        await _channel.BasicAckAsync(message.Tag, multiple: false, cancellationToken);
        return true;
    });

    /// <summary>Gives back what is still held. When it returns, the broker has handled that and every removal.</summary>
    public async ValueTask DisposeAsync()
    {
        try
        {
            // Given back by name and not only by the channel's end, which the broker handles some time later: the next reader would miss
            // some.
            await _channel.BasicNackAsync(0, multiple: true, requeue: true, CancellationToken.None);
            await _channel.CloseAsync(CancellationToken.None);
        }
        catch (Exception e) when (e is AlreadyClosedException or OperationInterruptedException or IOException)
        {
            // The broker has taken back what it had handed out.
        }

        await _connection.DisposeAsync();
    }

    /// <summary>What the platform says where RabbitMQ's client says that the connection or the channel was closed.</summary>
    internal static BrokerException Ended(Exception e) => new($"The broker ended the connection: {e.Message}", e);

    private static async Task<T> OnBrokerAsync<T>(Func<Task<T>> call)
    {
        try
        {
            return await call();
        }
        catch (Exception e) when (e is AlreadyClosedException or OperationInterruptedException)
        {
            throw Ended(e);
        }
    }

    private static async Task TakeTurnAsync(IConnection connection, TimeProvider time, CancellationToken cancellationToken)
    {
        var began = time.GetTimestamp();
        while (true)
        {
            await using var channel = await connection.CreateChannelAsync(cancellationToken: cancellationToken);
            try
            {
                await channel.QueueDeclareAsync(Turn, durable: false, exclusive: true, autoDelete: false,
                    cancellationToken: cancellationToken);
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
