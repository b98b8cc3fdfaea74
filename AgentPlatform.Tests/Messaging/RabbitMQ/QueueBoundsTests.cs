using AgentPlatform.Inference;
using AgentPlatform.Inference.OpenAI;
using AgentPlatform.Messaging.Asking;
using AgentPlatform.Messaging.Broker;
using AgentPlatform.Messaging.RabbitMQ;
using AgentPlatform.Tests.Broker;
using RabbitMQ.Client;

namespace AgentPlatform.Tests.Messaging.RabbitMQ;

/// <summary>What a queue holds at most, and what becomes of what nobody waits for.</summary>
[Trait("Category", "Broker")]
[Collection(BrokerGroup.Name)]
public sealed class QueueBoundsTests(RabbitMQServer server)
{
    private const int Mebibyte = 1024 * 1024;

    private readonly string _queue = QueueNames.Job("m", Guid.NewGuid().ToString("N"));

    [Fact]
    public async Task A_queue_is_full_by_bytes_too_and_its_client_is_told_to_come_back()
    {
        await using var gateway = await MessagingHost.GatewayAsync(server, _queue, ("Messaging:MaxQueueBytes", $"{4 * Mebibyte}"));
        var refusals = new List<InferenceError>();
        for (var i = 0; i < 12; i++)
        {
            try
            {
                await SendAsync(gateway, TimeSpan.FromMinutes(5), Mebibyte);
            }
            catch (InferenceException e)
            {
                refusals.Add(e.Error);
            }
        }

        // The broker counts a little late.
        Assert.InRange(refusals.Count, 5, 8);
        Assert.All(refusals, refusal => Assert.Equal((429, true), (refusal.Status, refusal.RetryAfterSeconds > 0)));
    }

    [Fact]
    public async Task What_expires_in_the_queue_is_gone_without_a_worker_and_is_not_among_the_dead()
    {
        await using var gateway = await MessagingHost.GatewayAsync(server, _queue);
        await using var connection = await server.ConnectAsync();
        await using var channel = await connection.CreateChannelAsync();
        var dead = await channel.MessageCountAsync(QueueNames.Dead);
        for (var i = 0; i < 20; i++)
        {
            await SendAsync(gateway, TimeSpan.FromSeconds(1), Mebibyte);
        }

        await SendAsync(gateway, TimeSpan.FromMinutes(5), 300);
        await Wait.UntilAsync(async () => await channel.MessageCountAsync(_queue) == 1);

        // What is given up keeps its order: once the last one is among the dead, those before it would be.
        await channel.BasicRejectAsync((await channel.BasicGetAsync(_queue, autoAck: false))!.DeliveryTag, requeue: false);
        await Wait.UntilAsync(async () => await channel.MessageCountAsync(QueueNames.Dead) > dead);
        Assert.Equal(dead + 1, await channel.MessageCountAsync(QueueNames.Dead));
        Assert.Equal(0u, await channel.MessageCountAsync(Topology.ExpiredQueue));
    }

    [Fact]
    public async Task A_job_without_an_end_that_the_broker_can_count_to_has_none()
    {
        await using var gateway = await MessagingHost.GatewayAsync(server, _queue);
        await SendAsync(gateway, TimeSpan.FromDays(100), 300);
        await using var connection = await server.ConnectAsync();
        await using var channel = await connection.CreateChannelAsync();
        Assert.Null((await channel.BasicGetAsync(_queue, autoAck: true))!.BasicProperties.Expiration);
    }

    [Fact]
    public async Task A_queue_of_an_earlier_build_goes_on_as_it_is_and_its_jobs_do_not_expire_into_the_dead()
    {
        await using var connection = await server.ConnectAsync();
        await using (var channel = await connection.CreateChannelAsync())
        {
            await DeclareOldAsync(channel, _queue, ("x-dead-letter-exchange", ""), ("x-dead-letter-routing-key", QueueNames.Dead));
        }

        await using var gateway = await MessagingHost.GatewayAsync(server, _queue);
        await using var worker = await MessagingHost.WorkerAsync(server, _queue, prefetch: 1);
        Assert.False(gateway.Get<JobQueueDeclaration>().DropsExpired(_queue));
        Assert.True(gateway.Get<JobQueueDeclaration>().DropsExpired(QueueNames.Resume(_queue)));
        await SendAsync(gateway, TimeSpan.FromMinutes(5), 300);
        await using (var channel = await connection.CreateChannelAsync())
        {
            Assert.Null((await channel.BasicGetAsync(_queue, autoAck: true))!.BasicProperties.Expiration);

            // Deleted, it is declared anew with all bounds.
            await channel.QueueDeleteAsync(_queue);
        }

        Assert.Equal(default(QueueState), await gateway.Get<IQueueInspector>().LookAsync(_queue, CancellationToken.None));
        await gateway.Get<IQueueInspector>().RestoreAsync(_queue, CancellationToken.None);
        Assert.True(gateway.Get<JobQueueDeclaration>().DropsExpired(_queue));
    }

    [Fact]
    public async Task A_queue_with_other_bounds_stays_as_it_is_and_expired_jobs_are_dropped_all_the_same()
    {
        await using var connection = await server.ConnectAsync();
        await using (var first = await MessagingHost.GatewayAsync(server, _queue, ("Messaging:MaxQueueLength", "10")))
        {
        }

        await using var gateway = await MessagingHost.GatewayAsync(server, _queue, ("Messaging:MaxQueueBytes", $"{4 * Mebibyte}"));
        Assert.True(gateway.Get<JobQueueDeclaration>().DropsExpired(_queue));
        await SendAsync(gateway, TimeSpan.FromMinutes(5), 300);
    }

    [Fact]
    public async Task Twenty_five_large_jobs_at_once_are_confirmed_and_their_connection_stays()
    {
        await using var gateway = await MessagingHost.GatewayAsync(
            server, _queue, ("Messaging:ConfirmTimeout", "00:00:01"), ("Messaging:MaxQueueBytes", $"{1024L * Mebibyte}"));
        await Task.WhenAll(Enumerable.Range(0, 25).Select(_ => SendAsync(gateway, TimeSpan.FromMinutes(5), 9_900_000)));
        Assert.True(gateway.Get<BrokerState>().IsOpen);
        await using var connection = await server.ConnectAsync();
        await using var channel = await connection.CreateChannelAsync();
        await Wait.UntilAsync(async () => await channel.MessageCountAsync(_queue) == 25);
        await channel.QueueDeleteAsync(_queue);
    }

    [Fact]
    public async Task A_job_that_is_cancelled_before_its_turn_to_be_published_is_not_published()
    {
        await using var gateway = await MessagingHost.GatewayAsync(server, _queue);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => SendAsync(gateway, TimeSpan.FromMinutes(5), 300, new CancellationToken(canceled: true)));
        await SendAsync(gateway, TimeSpan.FromMinutes(5), 300);
        await using var connection = await server.ConnectAsync();
        await using var channel = await connection.CreateChannelAsync();

        // Messages keep their order, so the one before would be there.
        Assert.Equal(1u, await channel.MessageCountAsync(_queue));
    }

    /// <summary>Declares a queue as builds did that bounded it by jobs alone; the broker does not drop what expires in it.</summary>
    internal static Task<QueueDeclareOk> DeclareOldAsync(IChannel channel, string queue, params (string Key, object? Value)[] more) =>
        channel.QueueDeclareAsync(
            queue, durable: true, exclusive: false, autoDelete: false,
            new Dictionary<string, object?>(more.Select(each => KeyValuePair.Create(each.Key, each.Value)))
        {
            ["x-queue-type"] = "quorum",
            ["x-delivery-limit"] = 20,
            ["x-max-length"] = 10_000,
            ["x-overflow"] = "reject-publish",
            ["x-dead-letter-strategy"] = "at-least-once",
        });

    private Task SendAsync(MessagingHost gateway, TimeSpan timeLeft, int bytes, CancellationToken cancellationToken = default) =>
        gateway.Get<JobPublisher>().PublishAsync(
        new InferenceRequest
        {
            RequestId = Guid.NewGuid(),
            Model = "m",
            Operation = Operation.Chat,
            Deadline = TimeProvider.System.GetUtcNow() + timeLeft,
            TimeLimit = new TimeLimit(timeLeft, TimeProvider.System),
            Body = new byte[bytes],
        }, _queue, "1", gateway.Get<ReplyReceiver>().Address, issue: 0, cancellationToken);
}
