using AgentPlatform.Messaging.Broker;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;

namespace AgentPlatform.Messaging.RabbitMQ;

/// <summary>Looks at queues by declaring them passively, on a channel of its own.</summary>
/// <remarks>Safe for concurrent use.</remarks>
internal sealed class RabbitMQQueues(JobQueueDeclaration declaration) : IQueueInspector, IBrokerSession, IDisposable
{
    private readonly SemaphoreSlim _gate = new(1);
    private volatile IConnection? _connection;
    private IChannel? _channel;

    /// <inheritdoc/>
    public Task OpenAsync(IConnection connection, CancellationToken cancellationToken)
    {
        _connection = connection;
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public async Task<QueueState?> LookAsync(string queue, CancellationToken cancellationToken)
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

            var found = await _channel.QueueDeclarePassiveAsync(queue, cancellationToken);
            return new QueueState(Exists: true, found.MessageCount, found.ConsumerCount);
        }
        catch (OperationInterruptedException e) when (e.ShutdownReason?.ReplyCode == Constants.NotFound)
        {
            return default(QueueState);
        }
        catch (Exception e) when (Amqp.IsGone(e) || e is TimeoutException)
        {
            return null;
        }
        finally
        {
            _gate.Release();
        }
    }

    /// <inheritdoc/>
    public async Task RestoreAsync(string jobQueue, CancellationToken cancellationToken)
    {
        try
        {
            if (_connection is { IsOpen: true } connection)
            {
                await declaration.DeclareAsync(connection, jobQueue, cancellationToken);
            }
        }
        catch (Exception e) when (Amqp.IsGone(e) || e is TimeoutException)
        {
            // The next connection declares it.
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _gate.Dispose();
}
