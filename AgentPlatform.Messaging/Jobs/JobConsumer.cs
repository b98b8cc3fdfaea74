using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Threading.Channels;
using AgentPlatform.Messaging.Broker;
using AgentPlatform.Messaging.Contracts;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using RabbitMQ.Client;

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
    private readonly MessagingOptions _options;
    private readonly MessagingTelemetry _telemetry;
    private readonly ILogger<JobConsumer> _logger;
    private IConnection? _connection;
    private IChannel? _channel;
    private IReadOnlyList<string> _consumerTags = [];
    private bool _wanted;

    internal JobConsumer(JobSource source, IOptions<MessagingOptions> options, MessagingTelemetry telemetry, ILogger<JobConsumer> logger) =>
        (_source, _options, _telemetry, _logger) = (source, options.Value, telemetry, logger);

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

    /// <inheritdoc/>
    public void Dispose() => _gate.Dispose();

    async Task IBrokerSession.OpenAsync(IConnection connection, CancellationToken cancellationToken)
    {
        await _gate.WaitAsync(cancellationToken);
        try
        {
            var channel = await connection.CreateChannelAsync(cancellationToken: cancellationToken);
            await Topology.DeclareJobQueueAsync(channel, _source.Queue, _options, cancellationToken);
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

    [LoggerMessage(LogLevel.Error, "Dead-lettered message {MessageId}, which is not a job: {Reason}")]
    private static partial void NotAJob(ILogger logger, string? messageId, string reason);

    private sealed class Consumer(JobConsumer owner, IConnection connection, IChannel channel, CancellationToken lost) : QueueConsumer(connection, channel)
    {
        public override async Task HandleBasicDeliverAsync(
            string consumerTag, ulong deliveryTag, bool redelivered, string exchange, string routingKey, IReadOnlyBasicProperties properties, ReadOnlyMemory<byte> body,
            CancellationToken cancellationToken = default)
        {
            var queue = owner._source.Queue;
            owner._telemetry.Consumed(queue);
            Delivery delivery;
            try
            {
                // The client reuses the body's memory once this method returns.
                delivery = Read(properties, body.ToArray(), queue, deliveryTag, redelivered);
            }
            catch (FormatException e)
            {
                NotAJob(owner._logger, properties.MessageId, e.Message);
                await Channel.BasicRejectAsync(deliveryTag, requeue: false, cancellationToken);
                return;
            }

            if (!owner._deliveries.Writer.TryWrite(delivery))
            {
                await delivery.ReturnAsync();
            }
        }

        private Delivery Read(IReadOnlyBasicProperties properties, byte[] body, string queue, ulong tag, bool redelivered)
        {
            var headers = properties.Headers ?? throw new FormatException("It has no headers.");
            if (Number(headers, JobHeaders.ContractVersion) != JobHeaders.Version)
            {
                throw new FormatException($"Its contract version is {Number(headers, JobHeaders.ContractVersion)}; this build reads {JobHeaders.Version}.");
            }

            if (!Guid.TryParse(properties.MessageId, out var requestId) || !Enum.TryParse<Operation>(properties.Type, out var operation) || string.IsNullOrEmpty(properties.ReplyTo))
            {
                throw new FormatException("Its message-id, type or reply-to is missing or malformed.");
            }

            DistributedContextPropagator.Current.ExtractTraceIdAndState(
                headers, static (object? carrier, string key, out string? value, out IEnumerable<string>? _) => (value, _) = (Text((IDictionary<string, object?>)carrier!, key), null),
                out var traceParent, out var traceState);
            ActivityContext.TryParse(traceParent, traceState, isRemote: true, out var trace);

            var request = new InferenceRequest
            {
                RequestId = requestId,
                Model = Text(headers, JobHeaders.Model) ?? throw new FormatException("It names no model."),
                Operation = operation,
                Stream = headers.TryGetValue(JobHeaders.Stream, out var stream) && stream is true,
                Deadline = DateTimeOffset.FromUnixTimeMilliseconds(Number(headers, JobHeaders.Deadline)),
                Tenant = Text(headers, JobHeaders.Tenant),
                Body = body,
            };
            var issue = (ushort)Number(headers, JobHeaders.Issue);
            return new Delivery(Channel, tag, request, queue, properties.ReplyTo, issue, redelivered || issue > 0, trace, lost);
        }

        private static string? Text(IDictionary<string, object?> headers, string key) =>
            headers.TryGetValue(key, out var value) && value is byte[] utf8 ? Encoding.UTF8.GetString(utf8) : null;

        private static long Number(IDictionary<string, object?> headers, string key) =>
            headers.TryGetValue(key, out var value) && value is int or long or short or byte
                ? Convert.ToInt64(value, CultureInfo.InvariantCulture)
                : throw new FormatException($"Its header '{key}' is missing or not a number.");
    }
}
