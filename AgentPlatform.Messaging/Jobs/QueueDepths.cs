using AgentPlatform.Messaging.Broker;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;

namespace AgentPlatform.Messaging.Jobs;

/// <summary>How many jobs wait in a queue. A queue that somebody deleted is declared again.</summary>
/// <remarks>One caller at a time.</remarks>
internal sealed class QueueDepths(JobQueueDeclaration declaration) : IBrokerSession
{
    private volatile IConnection? _connection;
    private IChannel? _channel;

    /// <inheritdoc/>
    public Task OpenAsync(IConnection connection, CancellationToken cancellationToken)
    {
        _connection = connection;
        return Task.CompletedTask;
    }

    /// <summary>How many jobs no worker has; null while the broker does not say.</summary>
    public async Task<uint?> ReadAsync(string queue, CancellationToken cancellationToken)
    {
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

            return await _channel.MessageCountAsync(queue, cancellationToken);
        }
        catch (OperationInterruptedException e) when (e.ShutdownReason?.ReplyCode == 404 && _connection is { IsOpen: true } connection)
        {
            await declaration.DeclareAsync(connection, queue, cancellationToken);
            return 0;
        }
        catch (Exception e) when (e is AlreadyClosedException or OperationInterruptedException or IOException or ObjectDisposedException or TimeoutException)
        {
            return null;
        }
    }
}
