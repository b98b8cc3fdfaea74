using AgentPlatform.Messaging.Broker;
using AgentPlatform.Messaging.RabbitMQ;
using AgentPlatform.Tests.Broker;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using RabbitMQ.Client;
using RabbitMQ.Client.Events;
using RabbitMQ.Client.Exceptions;

namespace AgentPlatform.Tests.Kubernetes;

/// <summary>
/// What the broker's users of the chart may not do, tried on a real server. That they can do their work, <see cref="ChartBrokerTests"/>
/// shows.
/// </summary>
[Trait("Category", "Broker")]
[Trait("Category", "Helm")]
[Collection(BrokerGroup.Name)]
public sealed class BrokerUserTests
{
    private static readonly string _own = QueueNames.Job("tiny-chat", "1");
    private static readonly string _others = QueueNames.Job("sentiment", "1");
    private static readonly string _reply = QueueNames.Reply("gateway-1");

    [Fact]
    public async Task Users_reach_what_their_work_takes_and_are_refused_the_rest()
    {
        await using var broker = new ChartBroker(await Chart.RenderCommittedAsync());
        await broker.BeginAsync();
        await using var gateway = await broker.ConnectAsync();
        await using var worker = await broker.ConnectAsUserAsync("worker-tiny-chat");
        await using (var channel = await gateway.CreateChannelAsync())
        {
            await Topology.DeclareControlExchangeAsync(channel, CancellationToken.None);
            await Topology.DeclareReplyQueueAsync(channel, _reply, new BrokerOptions(), CancellationToken.None);
        }

        var declaration = new JobQueueDeclaration(
            Options.Create(new QueueOptions { DeadLettersByPolicy = true }), NullLogger<JobQueueDeclaration>.Instance);
        foreach (var queue in (string[])[_own, _others])
        {
            await declaration.DeclareAsync(gateway, queue, CancellationToken.None);
        }

        // The queue of its own pool, as the gateway has declared it.
        await declaration.DeclareAsync(worker, _own, CancellationToken.None);
        await AllowedAsync(worker, channel => channel.BasicGetAsync(_own, autoAck: true));
        await AllowedAsync(worker, channel => BindAsync(channel, "cancel"));

        await RefusedAsync(worker, channel => channel.BasicGetAsync(_others, autoAck: true));
        await RefusedAsync(
            worker,
            channel => channel.BasicConsumeAsync(QueueNames.Resume(_others), autoAck: true, new AsyncEventingBasicConsumer(channel)));
        await RefusedAsync(worker, channel => channel.QueuePurgeAsync(_others));
        await RefusedAsync(worker, channel => channel.QueueDeleteAsync(_others, ifUnused: false, ifEmpty: false));
        await RefusedAsync(worker, channel => channel.BasicGetAsync(_reply, autoAck: true));
        await RefusedAsync(worker, channel => channel.BasicGetAsync(QueueNames.Dead, autoAck: true));
        await RefusedAsync(
            worker, channel => channel.QueueDeclareAsync("infer.other.1.default", durable: true, exclusive: false, autoDelete: false));
        await RefusedAsync(worker, channel => PublishAsync(channel, Topology.JobExchange, _others));
        await RefusedAsync(worker, channel => PublishAsync(channel, Topology.ControlExchange, "cancel"));

        // What gateways tell another pool's workers has parts of answers in it.
        await RefusedAsync(worker, channel => BindAsync(channel, "#"));
        await RefusedAsync(worker, channel => BindAsync(channel, "resume.*"));
        await RefusedAsync(worker, channel => BindAsync(channel, "resume.sentiment-deployment-5d9c-x7k2p.1"));

        await AllowedAsync(gateway, channel => PublishAsync(channel, Topology.JobExchange, _own));
        await AllowedAsync(gateway, channel => PublishAsync(channel, Topology.ControlExchange, "cancel"));
        await AllowedAsync(gateway, channel => channel.BasicGetAsync(_reply, autoAck: true));
        foreach (var queue in (string[])[_own, QueueNames.Resume(_own), _others])
        {
            await RefusedAsync(gateway, channel => channel.BasicGetAsync(queue, autoAck: false));
            await RefusedAsync(gateway, channel => channel.QueuePurgeAsync(queue));
        }

        await RefusedAsync(gateway, channel => PublishAsync(channel, Topology.ControlExchange, "other"));
        await RefusedAsync(gateway, channel => channel.ExchangeDeclareAsync("other", ExchangeType.Fanout));
    }

    private static async Task BindAsync(IChannel channel, string key)
    {
        var queue = await channel.QueueDeclareAsync(exclusive: true);
        await channel.QueueBindAsync(queue.QueueName, Topology.ControlExchange, key);
    }

    private static Task PublishAsync(IChannel channel, string exchange, string key) =>
        channel.BasicPublishAsync(exchange, key, "a message"u8.ToArray()).AsTask();

    private static async Task AllowedAsync(IConnection connection, Func<IChannel, Task> what)
    {
        await using var channel = await connection.CreateChannelAsync(
            new CreateChannelOptions(publisherConfirmationsEnabled: true, publisherConfirmationTrackingEnabled: true));
        await what(channel);
    }

    private static async Task RefusedAsync(IConnection connection, Func<IChannel, Task> what)
    {
        var failure = await Assert.ThrowsAnyAsync<Exception>(() => AllowedAsync(connection, what));
        Assert.True(Reasons(failure).Any(reason => reason.Contains("ACCESS_REFUSED", StringComparison.Ordinal)), $"{failure}");
    }

    // A publish that is refused closes its channel, which then says why.
    private static IEnumerable<string> Reasons(Exception? failure)
    {
        for (; failure is not null; failure = failure.InnerException)
        {
            yield return failure.Message;
            if (failure is OperationInterruptedException { ShutdownReason.ReplyText: { } reason })
            {
                yield return reason;
            }
        }
    }
}
