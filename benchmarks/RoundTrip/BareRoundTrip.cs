using System.Collections.Concurrent;
using RabbitMQ.Client;

namespace AgentPlatform.Benchmarks.RoundTrip;

/// <summary>
/// The least that a request through the broker can cost: RabbitMQ.Client alone, 300-byte bodies, out through a quorum queue with
/// confirms, back through a classic queue, echo and caller in one process. Every other figure is a ratio to it.
/// </summary>
/// <remarks>Safe for concurrent callers.</remarks>
internal sealed class BareRoundTrip : IAsyncDisposable
{
    private const string Out = "benchmark.out";
    private const string Back = "benchmark.back";

    private readonly ConcurrentDictionary<string, TaskCompletionSource> _waiting = new();
    private readonly SemaphoreSlim _publishing = new(1);
    private readonly byte[] _body = new byte[300];
    private readonly IConnection _caller;
    private readonly IConnection _echo;
    private readonly IChannel _channel;
    private long _last;

    private BareRoundTrip(IConnection caller, IConnection echo, IChannel channel) => (_caller, _echo, _channel) = (caller, echo, channel);

    public static async Task<BareRoundTrip> StartAsync(string connectionString, CancellationToken cancellationToken)
    {
        var factory = new ConnectionFactory { Uri = new Uri(connectionString), AutomaticRecoveryEnabled = false };
        var (caller, echo) = (
            await factory.CreateConnectionAsync(cancellationToken), await factory.CreateConnectionAsync(cancellationToken));
        var channel = await caller.CreateChannelAsync(new CreateChannelOptions(true, true), cancellationToken);
        await channel.QueueDeclareAsync(
            Out, durable: true, exclusive: false, autoDelete: false, new Dictionary<string, object?> { ["x-queue-type"] = "quorum" },
            cancellationToken: cancellationToken);
        await channel.QueueDeclareAsync(Back, durable: true, exclusive: false, autoDelete: false, cancellationToken: cancellationToken);

        var roundTrip = new BareRoundTrip(caller, echo, channel);
        await roundTrip.ListenAsync(cancellationToken);
        return roundTrip;
    }

    public async Task CallAsync(CancellationToken cancellationToken)
    {
        var id = Interlocked.Increment(ref _last).ToString("x16", null);
        var answer = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _waiting[id] = answer;
        ValueTask confirm;
        await _publishing.WaitAsync(cancellationToken);
        try
        {
            confirm = _channel.BasicPublishAsync(
                "", Out, mandatory: true, new BasicProperties { Persistent = true, CorrelationId = id, ReplyTo = Back }, _body,
                cancellationToken);
        }
        finally
        {
            _publishing.Release();
        }

        await confirm;
        await answer.Task.WaitAsync(TimeSpan.FromSeconds(30), TimeProvider.System, cancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        await _channel.QueueDeleteAsync(Out);
        await _channel.QueueDeleteAsync(Back);
        await _caller.DisposeAsync();
        await _echo.DisposeAsync();
        _publishing.Dispose();
    }

    private async Task ListenAsync(CancellationToken cancellationToken)
    {
        var work = await _echo.CreateChannelAsync(cancellationToken: cancellationToken);
        await work.BasicQosAsync(0, 256, global: false, cancellationToken);
        await work.BasicConsumeAsync(Out, autoAck: false, new Consumer(work, async (tag, properties, body) =>
        {
            await work.BasicPublishAsync(
                "", properties.ReplyTo!, mandatory: false, new BasicProperties { CorrelationId = properties.CorrelationId }, body.ToArray(),
                CancellationToken.None);
            await work.BasicAckAsync(tag, multiple: false, CancellationToken.None);
        }), cancellationToken);

        var answers = await _caller.CreateChannelAsync(cancellationToken: cancellationToken);
        await answers.BasicConsumeAsync(Back, autoAck: true, new Consumer(answers, (_, properties, _) =>
        {
            if (_waiting.TryRemove(properties.CorrelationId!, out var answer))
            {
                answer.SetResult();
            }

            return Task.CompletedTask;
        }), cancellationToken);
    }

    private sealed class Consumer(IChannel channel, Func<ulong, IReadOnlyBasicProperties, ReadOnlyMemory<byte>, Task> handle)
        : AsyncDefaultBasicConsumer(channel)
    {
        public override Task HandleBasicDeliverAsync(
            string consumerTag, ulong deliveryTag, bool redelivered, string exchange, string routingKey,
            IReadOnlyBasicProperties properties, ReadOnlyMemory<byte> body,
            CancellationToken cancellationToken = default) => handle(deliveryTag, properties, body);
    }
}
