using AgentPlatform.Inference;
using AgentPlatform.Inference.OpenAI;
using AgentPlatform.Messaging.Answering;
using AgentPlatform.Messaging.Asking;
using AgentPlatform.Messaging.Broker;
using AgentPlatform.Messaging.RabbitMQ;
using AgentPlatform.Tests.Broker;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;

namespace AgentPlatform.Tests.Messaging.RabbitMQ;

[Trait("Category", "Broker")]
[Collection(BrokerGroup.Name)]
public sealed class BrokerRestartTests(RabbitMQServer server)
{
    [Fact]
    public async Task Both_sides_come_back_by_themselves_after_the_broker_was_killed()
    {
        var queue = QueueNames.Job("m", Guid.NewGuid().ToString("N"));
        await using var gateway = await MessagingHost.GatewayAsync(server, queue);
        await using var worker = await MessagingHost.WorkerAsync(server, queue, prefetch: 1);
        await worker.Get<IJobReceiver>().AttachAsync(CancellationToken.None);

        await server.KillAsync();
        await gateway.BrokerAsync(there: false);
        var refusal = await Assert.ThrowsAsync<InferenceException>(() => SendAsync(gateway, queue, Guid.NewGuid()));
        Assert.Equal(503, refusal.Error.Status);
        Assert.NotNull(refusal.Error.RetryAfterSeconds);

        await server.StartAsync();
        await gateway.BrokerAsync();
        await worker.BrokerAsync();
        var requestId = Guid.NewGuid();
        await SendAsync(gateway, queue, requestId);
        await using var deliveries = worker.Get<JobInbox>().ReadAsync(CancellationToken.None).GetAsyncEnumerator();
        Assert.True(await deliveries.MoveNextAsync().AsTask().WaitAsync(TimeSpan.FromMinutes(1)));
        Assert.Equal(requestId, deliveries.Current.Request.RequestId);
    }

    [Fact]
    public async Task A_broker_that_freezes_is_given_up_and_found_again_when_it_goes_on()
    {
        var queue = QueueNames.Job("m", Guid.NewGuid().ToString("N"));
        await using var gateway = await MessagingHost.GatewayAsync(server, queue, ("Messaging:ConfirmTimeout", "00:00:01"));
        await server.FreezeAsync();
        try
        {
            // The publish hangs, since nobody confirms it, until the publisher's watch breaks the connection.
            var refusal = await Assert.ThrowsAsync<InferenceException>(() => SendAsync(gateway, queue, Guid.NewGuid()));
            Assert.Equal(503, refusal.Error.Status);
            await gateway.BrokerAsync(there: false);
        }
        finally
        {
            await server.ThawAsync();
        }

        await gateway.BrokerAsync();
        await SendAsync(gateway, queue, Guid.NewGuid());
    }

    [Fact]
    public async Task A_deleted_reply_queue_is_there_again_with_its_consumer_and_no_call_hangs_over_it()
    {
        await using var gateway = await MessagingHost.GatewayAsync(
            server, QueueNames.Job("m", Guid.NewGuid().ToString("N")), ("Messaging:ConfirmTimeout", "00:05:00"));
        var queue = gateway.Get<ReplyReceiver>().Address;
        await using var connection = await server.ConnectAsync();
        await using (var channel = await connection.CreateChannelAsync())
        {
            await channel.QueueDeleteAsync(queue);
        }

        await Wait.UntilAsync(async () =>
        {
            await using var channel = await connection.CreateChannelAsync();
            try
            {
                return await channel.ConsumerCountAsync(queue) == 1;
            }
            catch (OperationInterruptedException)
            {
                return false; // There is none yet.
            }
        });
    }

    [Fact]
    public async Task A_channel_that_the_broker_closes_is_replaced_with_what_it_needs()
    {
        var queue = QueueNames.Job("m", Guid.NewGuid().ToString("N"));
        await using var gateway = await MessagingHost.GatewayAsync(server, queue);
        await using var connection = await server.ConnectAsync();
        await using (var channel = await connection.CreateChannelAsync())
        {
            await channel.ExchangeDeleteAsync(Topology.JobExchange);
        }

        var refusal = await Assert.ThrowsAsync<InferenceException>(() => SendAsync(gateway, queue, Guid.NewGuid()));
        Assert.Equal(503, refusal.Error.Status);

        await Wait.UntilAsync(async () =>
        {
            try
            {
                await SendAsync(gateway, queue, Guid.NewGuid());
                return true;
            }
            catch (InferenceException)
            {
                return false; // Not yet connected again.
            }
        });
    }

    private static Task SendAsync(MessagingHost gateway, string queue, Guid requestId) => gateway.Get<JobPublisher>().PublishAsync(
        new InferenceRequest
        {
            RequestId = requestId,
            Model = "m",
            Operation = Operation.Chat,
            Deadline = DateTimeOffset.FromUnixTimeMilliseconds(4_000_000_000_000),
            Body = "{}"u8.ToArray(),
        }, queue, "1", gateway.Get<ReplyReceiver>().Address, issue: 0, CancellationToken.None);
}
