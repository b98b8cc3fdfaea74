using System.Text;
using AgentPlatform.Inference;
using AgentPlatform.Inference.OpenAI;
using AgentPlatform.Messaging.Answering;
using AgentPlatform.Messaging.Asking;
using AgentPlatform.Messaging.Broker;
using AgentPlatform.Messaging.Dead;
using AgentPlatform.Messaging.RabbitMQ;
using AgentPlatform.Messaging.Wire;
using AgentPlatform.Tests.Broker;
using RabbitMQ.Client;

namespace AgentPlatform.Tests.Messaging;

[Trait("Category", "Broker")]
[Collection(BrokerGroup.Name)]
public sealed class RoundTripTests(RabbitMQServer server)
{
    private readonly string _queue = QueueNames.Job("m", Guid.NewGuid().ToString("N"));

    [Fact]
    public async Task A_message_that_is_no_job_is_dead_lettered_and_the_next_job_is_served()
    {
        await using var gateway = await Side.GatewayAsync(server, _queue);
        await using var worker = await WorkerAsync();
        await using var connection = await server.ConnectAsync();
        await using var channel = await connection.CreateChannelAsync();
        await channel.QueuePurgeAsync(QueueNames.Dead);
        await channel.BasicPublishAsync(Topology.JobExchange, _queue, "not a job"u8.ToArray());
        var request = Request(stream: false);
        await SendAsync(gateway, request);

        Assert.Equal(request.RequestId, (await NextAsync(worker)).Request.RequestId);
        await Side.UntilAsync(async () => await channel.MessageCountAsync(QueueNames.Dead) == 1);
    }

    [Fact]
    public async Task Messages_that_cannot_be_read_are_put_aside_with_the_reason_and_take_no_place_of_the_prefetch()
    {
        await using var gateway = await Side.GatewayAsync(server, _queue);
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
                    ["x-contract"] = JobHeaders.Version, ["x-model"] = "m", ["x-issue"] = 0, ["x-deadline"] = long.MaxValue, ["x-long"] = new string('x', 100_000),
                },
            };
            await channel.BasicPublishAsync(Topology.JobExchange, _queue, mandatory: true, properties, "{}"u8.ToArray());
        }

        var request = Request(stream: false);
        await SendAsync(gateway, request);
        Assert.Equal(request.RequestId, (await NextAsync(worker)).Request.RequestId);
        await Side.UntilAsync(async () => await channel.MessageCountAsync(QueueNames.Dead) == 10);
        var dead = DeadJobParser.Parse(Amqp.Message((await channel.BasicGetAsync(QueueNames.Dead, autoAck: true))!.BasicProperties, default));
        Assert.Equal(("malformed", "m", _queue), (dead.Reason, dead.Model, dead.Queue));
        Assert.Contains("x-deadline", dead.Detail, StringComparison.Ordinal);
        Assert.True(worker.Get<HeldMessages>().Oldest < TimeSpan.FromMinutes(1));
    }

    [Fact]
    public async Task A_request_of_the_largest_size_is_taken_and_a_larger_one_refused_before_the_broker_closes_the_connection()
    {
        const int Largest = 16 * 1024 * 1024;
        await using var gateway = await Side.GatewayAsync(server, _queue);
        await SendAsync(gateway, Request(stream: false) with { Body = new byte[Largest] });

        var refusal = await Assert.ThrowsAsync<InferenceException>(() => SendAsync(gateway, Request(stream: false) with { Body = new byte[Largest + 1] }));

        Assert.Equal((413, "request_too_large"), (refusal.Error.Status, refusal.Error.Code));
        await SendAsync(gateway, Request(stream: false));
    }

    [Fact]
    public async Task A_full_queue_is_an_overload_that_tells_when_to_retry()
    {
        await using var gateway = await Side.GatewayAsync(server, _queue, ("Messaging:MaxQueueLength", "1"));

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

    private static InferenceRequest Request(bool stream) => new()
    {
        RequestId = Guid.NewGuid(),
        Model = "m",
        Operation = Operation.Chat,
        Stream = stream,
        Deadline = DateTimeOffset.FromUnixTimeMilliseconds(4_000_000_000_000),
        Body = """{"model":"m","x":"ü"}"""u8.ToArray(),
    };

    private async Task<Side> WorkerAsync()
    {
        var worker = await Side.WorkerAsync(server, _queue, prefetch: 4);
        await worker.Get<IJobReceiver>().AttachAsync(CancellationToken.None);
        return worker;
    }

    private async Task<ReplyAssembly> SendAsync(Side gateway, InferenceRequest request)
    {
        var receiver = gateway.Get<ReplyReceiver>();
        var answer = receiver.Admit(request, _queue, "1");
        await gateway.Get<JobPublisher>().PublishAsync(request, _queue, "1", receiver.Address, issue: 0, CancellationToken.None);
        return answer;
    }

    private static async Task<Delivery> NextAsync(Side worker)
    {
        await using var deliveries = worker.Get<JobInbox>().ReadAsync(CancellationToken.None).GetAsyncEnumerator();
        Assert.True(await deliveries.MoveNextAsync().AsTask().WaitAsync(TimeSpan.FromMinutes(1)));
        return deliveries.Current;
    }

    private static async Task<List<string>> ReadAsync(ReplyAssembly answer)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(1), TimeProvider.System);
        var parts = new List<string>();
        await foreach (var part in answer.ReadAsync(limit.Token))
        {
            parts.Add($"{part.Kind} {Encoding.UTF8.GetString(part.Payload.Span)}");
        }

        return parts;
    }
}
