using AgentPlatform.Messaging.Broker;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;

namespace AgentPlatform.Messaging.RabbitMQ;

/// <summary>What lives on a connection and must be set up anew on the next one: a publisher, a consumer.</summary>
internal interface IBrokerSession
{
    /// <summary>
    /// Declares what it needs and opens its channels on <paramref name="connection"/>; the ones of an earlier connection are dead.
    /// </summary>
    Task OpenAsync(IConnection connection, CancellationToken cancellationToken);
}

/// <summary>
/// The process's connection to the broker. It is replaced as a whole when anything on it breaks: the client's own recovery leaves
/// channels that an error closed for dead and can hang in a publish, so it is switched off and every session is opened again here.
/// </summary>
internal sealed partial class BrokerConnection : BackgroundService
{
    private readonly IConnectionFactory _factory;
    private readonly IEnumerable<IBrokerSession> _sessions;
    private readonly TimeProvider _time;
    private readonly ILogger<BrokerConnection> _logger;
    private readonly TimeSpan _maxDelay;
    private readonly BrokerState _state;

    public BrokerConnection(
        IConnectionFactory factory, IEnumerable<IBrokerSession> sessions, BrokerState state, IOptions<BrokerOptions> options,
        TimeProvider time,
        ILogger<BrokerConnection> logger)
    {
        (_factory, _sessions, _state, _time, _logger) = (factory, sessions, state, time, logger);
        _maxDelay = options.Value.MaxReconnectDelay;
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var delay = TimeSpan.Zero;
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                if (delay > TimeSpan.Zero)
                {
                    await Task.Delay(delay, _time, stoppingToken);
                }

                await RunAsync(opened: () => delay = TimeSpan.Zero, stoppingToken);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e)
                when (e is RabbitMQClientException or IOException or TimeoutException or OperationCanceledException
                    or ObjectDisposedException)
            {
                BrokerAway(_logger, e.Message, delay);
            }
            finally
            {
                _state.IsOpen = false;
            }

            delay = TimeSpan.FromMilliseconds(Math.Min(_maxDelay.TotalMilliseconds, Math.Max(100, delay.TotalMilliseconds * 2)));
        }
    }

    private async Task RunAsync(Action opened, CancellationToken stoppingToken)
    {
        var closed = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        var connection = await _factory.CreateConnectionAsync(stoppingToken);
        try
        {
            connection.ConnectionShutdownAsync += (_, shutdown) =>
            {
                _state.IsOpen = false;
                closed.TrySetResult(shutdown.ReplyText);
                return Task.CompletedTask;
            };

            connection.ConnectionBlockedAsync += (_, blocked) =>
            {
                _state.IsBlocked = true;
                BrokerBlocks(_logger, blocked.Reason);
                return Task.CompletedTask;
            };
            connection.ConnectionUnblockedAsync += (_, _) =>
            {
                _state.IsBlocked = false;
                BrokerUnblocks(_logger);
                return Task.CompletedTask;
            };

            foreach (var session in _sessions)
            {
                await session.OpenAsync(connection, stoppingToken);
            }

            _state.IsOpen = connection.IsOpen;
            opened();
            BrokerReached(_logger, connection.Endpoint);
            BrokerLost(_logger, await closed.Task.WaitAsync(stoppingToken));
        }
        finally
        {
            (_state.IsOpen, _state.IsBlocked) = (false, false);
            await connection.AbortAsync(TimeSpan.FromSeconds(2));
            await connection.DisposeAsync();
        }
    }

    [LoggerMessage(LogLevel.Information, "Connected to the broker at {Endpoint}")]
    private static partial void BrokerReached(ILogger logger, AmqpTcpEndpoint endpoint);

    [LoggerMessage(LogLevel.Warning, "The connection to the broker was lost: {Reason}")]
    private static partial void BrokerLost(ILogger logger, string reason);

    [LoggerMessage(LogLevel.Warning, "The broker takes no messages: {Reason}")]
    private static partial void BrokerBlocks(ILogger logger, string reason);

    [LoggerMessage(LogLevel.Information, "The broker takes messages again")]
    private static partial void BrokerUnblocks(ILogger logger);

    [LoggerMessage(LogLevel.Warning, "The broker cannot be reached: {Reason}; waited {Delay} before")]
    private static partial void BrokerAway(ILogger logger, string reason, TimeSpan delay);
}
