using System.Threading.Channels;
using AgentPlatform.Messaging.Broker;
using Microsoft.Extensions.Options;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;

namespace AgentPlatform.Messaging.RabbitMQ;

/// <summary>
/// Publishes with confirms and <c>mandatory</c>. One loop owns the channel and starts publishes in order without waiting for the
/// confirm of the one before, so that throughput is not bound to the broker's round trip. What is under way is bounded by bytes
/// (<see cref="PublishWindow"/>): the rest of a burst of large messages waits here and not in the broker's memory.
/// </summary>
/// <remarks>Safe for concurrent use.</remarks>
internal sealed class ConfirmedPublisher(BrokerState state, IOptions<BrokerOptions> options, TimeProvider time) : IBrokerSession
{
    private volatile Lane? _lane;

    /// <inheritdoc/>
    public async Task OpenAsync(IConnection connection, CancellationToken cancellationToken)
    {
        // No rate limiter: the default one delays publishes by up to a second once half of its permits are out.
        var channel = await connection.CreateChannelAsync(new CreateChannelOptions(
            publisherConfirmationsEnabled: true, publisherConfirmationTrackingEnabled: true), cancellationToken);
        _lane = new Lane(connection, channel, state, options.Value.ConfirmTimeout, time);
    }

    /// <summary>Publishes and waits for the broker's word. <paramref name="body"/> must stay as it is until then.</summary>
    /// <exception cref="OperationCanceledException">It was cancelled before it was given to the broker; after that nothing takes it
    /// back.</exception>
    public Task<PublishOutcome> PublishAsync(
        string exchange, string routingKey, BasicProperties properties, ReadOnlyMemory<byte> body,
        CancellationToken cancellationToken = default) =>
        _lane is { } lane
            ? lane.PublishAsync(new Message(exchange, routingKey, properties, body, cancellationToken))
            : Task.FromResult(PublishOutcome.Lost);

    private sealed class Message(
        string exchange, string routingKey, BasicProperties properties, ReadOnlyMemory<byte> body, CancellationToken cancellationToken)
        : TaskCompletionSource<PublishOutcome>(TaskCreationOptions.RunContinuationsAsynchronously)
    {
        public string Exchange => exchange;

        public string RoutingKey => routingKey;

        public BasicProperties Properties => properties;

        public ReadOnlyMemory<byte> Body => body;

        /// <summary>Whether nobody wants it published any more.</summary>
        public bool IsCancelled => cancellationToken.IsCancellationRequested && TrySetCanceled(cancellationToken);
    }

    /// <summary>The publisher on one connection.</summary>
    private sealed class Lane
    {
        private readonly Channel<Message> _messages =
            System.Threading.Channels.Channel.CreateUnbounded<Message>(new UnboundedChannelOptions { SingleReader = true });
        private readonly IConnection _connection;
        private readonly IChannel _channel;
        private readonly BrokerState _state;
        private readonly PublishWindow _window;
        private readonly ITimer _watchdog;

        public Lane(IConnection connection, IChannel channel, BrokerState state, TimeSpan confirmTimeout, TimeProvider time)
        {
            (_connection, _channel, _state, _window) = (connection, channel, state, new PublishWindow(confirmTimeout, time));
            _watchdog = time.CreateTimer(_ => _ = AbortIfHungAsync(), null, confirmTimeout / 4, confirmTimeout / 4);
            channel.ChannelShutdownAsync += (_, _) =>
            {
                _messages.Writer.TryComplete();
                _watchdog.Dispose();
                // A closed channel with an open connection would leave a publisher that is dead for good. Not awaited: the connection's
                // loop that reads the broker's answers waits for this handler.
                _ = connection.IsOpen ? connection.AbortAsync() : Task.CompletedTask;
                return Task.CompletedTask;
            };
            _ = PumpAsync();
        }

        public Task<PublishOutcome> PublishAsync(Message message)
        {
            if (!_messages.Writer.TryWrite(message))
            {
                message.TrySetResult(PublishOutcome.Lost);
            }

            return message.Task;
        }

        private async Task PumpAsync()
        {
            await foreach (var message in _messages.Reader.ReadAllAsync())
            {
                await _window.WaitForRoomAsync(message.Body.Length);
                if (!message.IsCancelled)
                {
                    _window.Enter(message.Body.Length);
                    _ = PublishOneAsync(message);
                }
            }
        }

        private async Task PublishOneAsync(Message message)
        {
            try
            {
                await _channel.BasicPublishAsync(message.Exchange, message.RoutingKey, mandatory: true, message.Properties, message.Body);
                Settle(message, PublishOutcome.Confirmed);
            }
            catch (PublishException e)
            {
                Settle(message, e.IsReturn ? PublishOutcome.Returned : PublishOutcome.Refused);
            }
            catch (Exception e) when (Amqp.IsGone(e) || e is OperationCanceledException)
            {
                Settle(message, PublishOutcome.Lost);
            }
            catch (Exception e)
            {
                // A message that cannot be written at all, such as one with a header that AMQP has no type for: whoever sends it is to
                // know.
                _window.Leave(message.Body.Length);
                message.TrySetException(e);
            }
        }

        private void Settle(Message message, PublishOutcome outcome)
        {
            _window.Leave(message.Body.Length);
            message.TrySetResult(outcome);
        }

        // BasicPublishAsync can wait for ever after a broker's restart (open in RabbitMQ.Client 7.2.2); aborting the connection frees it.
        private async Task AbortIfHungAsync()
        {
            if (_state.IsBlocked)
            {
                // It has said why it does not answer; a new connection would be blocked as well.
                _window.Excuse();
            }
            else if (_window.IsHung)
            {
                _watchdog.Dispose();
                await _connection.AbortAsync(TimeSpan.FromSeconds(2));
            }
        }
    }
}
