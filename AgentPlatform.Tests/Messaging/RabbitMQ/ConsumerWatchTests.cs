using System.Runtime.CompilerServices;
using AgentPlatform.Messaging.Answering;
using AgentPlatform.Messaging.Broker;
using AgentPlatform.Messaging.RabbitMQ;
using AgentPlatform.Tests.Broker;
using Microsoft.Extensions.Logging.Abstractions;
using RabbitMQ.Client;

namespace AgentPlatform.Tests.Messaging.RabbitMQ;

[Trait("Category", "Broker")]
[Collection(BrokerGroup.Name)]
public sealed class ConsumerWatchTests(RabbitMQServer server)
{
    private readonly string _queue = QueueNames.Job($"m{Guid.NewGuid():N}", "1");

    [Fact]
    public async Task A_consumer_that_is_silent_while_jobs_wait_gets_another_connection_and_the_jobs()
    {
        await using var worker = await MessagingHost.WorkerAsync(server, _queue, prefetch: 4);
        var (receiver, inbox) = (worker.Get<RabbitMQJobReceiver>(), worker.Get<JobInbox>());
        await receiver.AttachAsync(CancellationToken.None);
        using var watch = new ConsumerWatch(
            receiver, inbox, worker.Get<JobSource>(), worker.Get<IQueueInspector>(), worker.Get<HeldMessages>(), TimeProvider.System,
            NullLogger<ConsumerWatch>.Instance);
        await watch.LookAsync(CancellationToken.None);
        await watch.LookAsync(CancellationToken.None);
        Assert.True(receiver.IsAttached);

        // As after a recovery of the client's that was none: the broker knows no consumer, and here it looks attached.
        foreach (var tag in Tags(receiver))
        {
            await Channel(receiver)!.BasicCancelAsync(tag);
        }

        await using var connection = await server.ConnectAsync();
        await using var channel = await connection.CreateChannelAsync(
            new CreateChannelOptions(publisherConfirmationsEnabled: true, publisherConfirmationTrackingEnabled: true));
        await channel.BasicPublishAsync(
            Topology.JobExchange, _queue, mandatory: true, new BasicProperties { Persistent = true }, "no job"u8.ToArray());
        Assert.Equal((0, true), (inbox.Delivered, receiver.IsAttached));

        await watch.LookAsync(CancellationToken.None);
        await watch.LookAsync(CancellationToken.None);

        await Wait.UntilAsync(() => inbox.Delivered > 0);
    }

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_channel")]
    private static extern ref IChannel? Channel(RabbitMQJobReceiver receiver);

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_consumerTags")]
    private static extern ref IReadOnlyList<string> Tags(RabbitMQJobReceiver receiver);
}
