using AgentPlatform.Inference;
using AgentPlatform.Inference.OpenAI;
using AgentPlatform.Messaging.Answering;
using AgentPlatform.Messaging.Broker;
using AgentPlatform.Messaging.Dead;
using AgentPlatform.Messaging.RabbitMQ;
using AgentPlatform.Messaging.Wire;
using AgentPlatform.Tests.Broker;
using Microsoft.Extensions.DependencyInjection;
using RabbitMQ.Client;

namespace AgentPlatform.Tests.Messaging.RabbitMQ;

[Trait("Category", "Broker")]
[Collection(BrokerGroup.Name)]
public sealed class RabbitMQRoundTripTests(RabbitMQServer server) : RoundTripConformance
{
    [Fact]
    public async Task A_message_that_is_no_job_is_dead_lettered_and_the_next_job_is_served()
    {
        await using var gateway = await MessagingHost.GatewayAsync(server, Queue);
        await using var worker = await WorkerAsync();
        await using var connection = await server.ConnectAsync();
        await using var channel = await connection.CreateChannelAsync();
        await channel.QueuePurgeAsync(QueueNames.Dead);
        await channel.BasicPublishAsync(Topology.JobExchange, Queue, "not a job"u8.ToArray());
        var request = Request(stream: false);
        await SendAsync(gateway, request);

        Assert.Equal(request.RequestId, (await NextAsync(worker)).Request.RequestId);
        await Wait.UntilAsync(async () => await channel.MessageCountAsync(QueueNames.Dead) == 1);
    }

    [Fact]
    public async Task Messages_that_cannot_be_read_are_put_aside_with_the_reason_and_take_no_place_of_the_prefetch()
    {
        await using var gateway = await MessagingHost.GatewayAsync(server, Queue);
        await using var worker = await WorkerAsync();
        await using var connection = await server.ConnectAsync();
        await using var channel = await connection.CreateChannelAsync();
        await channel.QueuePurgeAsync(QueueNames.Dead);
        for (var i = 0; i < 10; i++)
        {
            var properties = new BasicProperties
            {
                MessageId = Guid.NewGuid().ToString(),
                Type = "Chat",
                ReplyTo = "infer.reply.nobody",
                Headers = new Dictionary<string, object?>
                {
                    ["x-contract"] = JobHeaders.Version, ["x-model"] = "m", ["x-issue"] = 0, ["x-deadline"] = long.MaxValue,
                    ["x-long"] = new string('x', 100_000),
                },
            };
            await channel.BasicPublishAsync(Topology.JobExchange, Queue, mandatory: true, properties, "{}"u8.ToArray());
        }

        var request = Request(stream: false);
        await SendAsync(gateway, request);
        Assert.Equal(request.RequestId, (await NextAsync(worker)).Request.RequestId);
        await Wait.UntilAsync(async () => await channel.MessageCountAsync(QueueNames.Dead) == 10);
        var dead = DeadJobParser.Parse(
            Amqp.Message((await channel.BasicGetAsync(QueueNames.Dead, autoAck: true))!.BasicProperties, default));
        Assert.Equal(("malformed", "m", Queue), (dead.Reason, dead.Model, dead.Queue));
        Assert.Contains("x-deadline", dead.Detail, StringComparison.Ordinal);
        Assert.True(worker.Get<HeldMessages>().Oldest < TimeSpan.FromMinutes(1));
    }

    [Fact]
    public async Task A_request_of_the_largest_size_is_taken_and_a_larger_one_refused_before_the_broker_closes_the_connection()
    {
        const int Largest = 16 * 1024 * 1024;
        await using var gateway = await MessagingHost.GatewayAsync(server, Queue);
        await SendAsync(gateway, Request(stream: false) with { Body = new byte[Largest] });

        var refusal = await Assert.ThrowsAsync<InferenceException>(
            () => SendAsync(gateway, Request(stream: false) with { Body = new byte[Largest + 1] }));

        Assert.Equal((413, "request_too_large"), (refusal.Error.Status, refusal.Error.Code));
        await SendAsync(gateway, Request(stream: false));
    }

    [Fact]
    public async Task A_full_queue_is_an_overload_that_tells_when_to_retry()
    {
        await using var gateway = await MessagingHost.GatewayAsync(server, Queue, ("Messaging:MaxQueueLength", "1"));

        // The limit of a quorum queue is soft by a message or two.
        var refusal = await Assert.ThrowsAsync<InferenceException>(async () =>
        {
            for (var i = 0; i < 1000; i++)
            {
                await SendAsync(gateway, Request(stream: false));
            }
        });
        Assert.Equal((429, 2), (refusal.Error.Status, refusal.Error.RetryAfterSeconds));
    }

    protected override void AddBroker(IServiceCollection services) => MessagingHost.Connect(server)(services);
}
