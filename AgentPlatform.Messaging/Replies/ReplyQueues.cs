using AgentPlatform.Messaging.Broker;
using Microsoft.Extensions.Options;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;

namespace AgentPlatform.Messaging.Replies;

/// <summary>
/// Which gateways are gone, as their reply queues show it: a queue outlives its gateway by minutes and takes all that is sent there, so that only the number of its
/// consumers tells. A gateway may lose its connection and come back; it is gone when it has not been there for <see cref="MessagingOptions.GatewayTimeout"/>.
/// </summary>
/// <remarks>Safe for concurrent use.</remarks>
public sealed class ReplyQueues : IBrokerSession, IDisposable
{
    private readonly SemaphoreSlim _gate = new(1);
    private readonly Dictionary<string, long> _absentSince = new(StringComparer.Ordinal);
    private readonly TimeSpan _timeout;
    private readonly TimeSpan _expiry;
    private readonly TimeProvider _time;
    private volatile IConnection? _connection;
    private IChannel? _channel;

    internal ReplyQueues(IOptions<MessagingOptions> options, TimeProvider time) => 
        (_timeout, _expiry, _time) = (options.Value.GatewayTimeout, options.Value.ReplyQueueExpiry, time);

    /// <summary>The queues whose gateways were not there at the last look.</summary>
    internal IReadOnlyCollection<string> Absent
    {
        get
        {
            lock (_absentSince)
            {
                return [.. _absentSince.Keys];
            }
        }
    }

    /// <summary>Whether the queue's gateway is gone. Costs nothing while it was there at the last look; otherwise the broker is asked again.</summary>
    public ValueTask<bool> IsGoneAsync(string queue)
    {
        lock (_absentSince)
        {
            if (!_absentSince.TryGetValue(queue, out var since) || _time.GetElapsedTime(since) < _timeout)
            {
                return ValueTask.FromResult(false);
            }
        }

        return new ValueTask<bool>(LookAsync(queue, CancellationToken.None));
    }

    /// <summary>Asks the broker whether the queue's gateway is there.</summary>
    /// <returns>Whether it is gone: it is not there and has not been for long enough.</returns>
    internal async Task<bool> LookAsync(string queue, CancellationToken cancellationToken)
    {
        var consumers = await CountConsumersAsync(queue, cancellationToken);
        lock (_absentSince)
        {
            if (consumers != 0)
            {
                // Nothing is known while this worker's own connection is away: others may have lost theirs with it and come back later.
                _absentSince.Remove(queue);
                return false;
            }

            if (!_absentSince.TryGetValue(queue, out var since))
            {
                _absentSince.Add(queue, since = _time.GetTimestamp());
            }

            var absent = _time.GetElapsedTime(since);
            if (absent >= _expiry)
            {
                // Each look is a use to the broker, which removes the queue when it is not used any more.
                _absentSince.Remove(queue);
            }

            return absent >= _timeout;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _gate.Dispose();

    Task IBrokerSession.OpenAsync(IConnection connection, CancellationToken cancellationToken)
    {
        _connection = connection;
        return Task.CompletedTask;
    }

    /// <summary>How many take what is sent to the queue, 0 if there is none; null while the broker does not say.</summary>
    private async Task<uint?> CountConsumersAsync(string queue, CancellationToken cancellationToken)
    {
        await _gate.WaitAsync(cancellationToken);
        try
        {
            if (_connection is not { IsOpen: true } connection)
            {
                return null;
            }

            if (_channel is not { IsOpen: true })
            {
                _channel = await connection.CreateChannelAsync(cancellationToken: cancellationToken);
            }

            return await _channel.ConsumerCountAsync(queue, cancellationToken);
        }
        catch (OperationInterruptedException e) when (e.ShutdownReason?.ReplyCode == Constants.NotFound)
        {
            return 0;
        }
        catch (Exception e) when (e is AlreadyClosedException or OperationInterruptedException or IOException or ObjectDisposedException or TimeoutException)
        {
            return null;
        }
        finally
        {
            _gate.Release();
        }
    }
}
