using AgentPlatform.Inference;
using AgentPlatform.Inference.OpenAI;
using AgentPlatform.Messaging.Broker;
using AgentPlatform.Tests.Broker;
using AgentPlatform.Tests.Messaging;
using AgentPlatform.Tests.Messaging.RabbitMQ;
using AgentPlatform.Worker.Engines;

namespace AgentPlatform.Tests.Worker.Jobs;

/// <summary>
/// What of jobs depends on RabbitMQ: queues as others have declared them, or that outlive who declared them, and restarts.
/// </summary>
[Trait("Category", "Broker")]
[Collection(BrokerGroup.Name)]
public sealed class RabbitMQJobTests(RabbitMQServer server)
{
    private static readonly TimeSpan _limit = TimeSpan.FromMinutes(1);

    // Each test has a queue of its own.
    private readonly string _version = Guid.NewGuid().ToString("N");

    private string Queue => QueueNames.Job("m", _version);

    [Fact]
    public async Task An_expired_job_is_answered_without_compute()
    {
        // One that the broker does not drop.
        await using var connection = await server.ConnectAsync();
        await using var channel = await connection.CreateChannelAsync();
        await QueueBoundsTests.DeclareOldAsync(
            channel, Queue, ("x-dead-letter-exchange", ""), ("x-dead-letter-routing-key", QueueNames.Dead));
        using var outcomes = new JobOutcomes(Queue);
        await using var gateway = await MessagingHost.GatewayAsync(server, Queue);
        var answer = await SendAsync(gateway, Requests.Create(timeLimit: new TimeLimit(TimeSpan.Zero, TimeProvider.System)));
        var engine = new ScriptedEngine();
        await using (await WorkerAsync(engine))
        {
            Assert.Equal(504, (await Assert.ThrowsAsync<InferenceException>(() => answer.WaitAsync(_limit))).Error.Status);
            Assert.False(engine.HasNext);
        }

        Assert.Equal(["expired"], outcomes.All);
    }

    [Fact]
    public async Task When_the_gateway_is_killed_work_and_questions_for_it_end_long_before_its_queue_and_others_are_served()
    {
        using var outcomes = new JobOutcomes(Queue);
        (string, string)[] quick = [("Messaging:GatewayTimeout", "00:00:01"), ("Messaging:MaxReconnectDelay", "00:00:00.5")];
        await using var survivor = await MessagingHost.GatewayAsync(server, Queue);
        var killed = await MessagingHost.GatewayAsync(server, Queue);
        ScriptedEngine[] engines = [new(), new()];
        var lost = await WorkerAsync(engines[0], [("Engine:Slots", "1"), ("Stopping:DrainTimeout", "00:00:00"), .. quick]);
        _ = await SendAsync(killed, Requests.Create(stream: true));
        await engines[0].NextAsync();
        await using (var worker = await WorkerAsync(engines[1], [("Engine:Slots", "1"), .. quick]))
        {
            _ = await SendAsync(killed, Requests.Create(stream: true));
            var running = await engines[1].NextAsync();
            _ = await SendAsync(killed, Requests.Create(stream: true));

            // Its queue stays, for minutes.
            await killed.DisposeAsync();
            await lost.DisposeAsync();
            await running.Cancelled.Task.WaitAsync(_limit);
            var answer = await SendAsync(survivor, Requests.Create());
            (await engines[1].NextAsync()).Give(ReplyKind.Result, "{}");
            Assert.Equal("Result {}", (await answer.WaitAsync(_limit))[^1]);
            Assert.False(engines[1].HasNext);
        }

        Assert.Equal(0u, await WaitingAsync());
        Assert.Equal(3, outcomes.All.Count(outcome => outcome == "orphaned"));
    }

    [Fact]
    public async Task After_a_restart_of_the_broker_the_worker_is_ready_again_and_the_job_it_held_is_done()
    {
        await using var gateway = await MessagingHost.GatewayAsync(server, Queue);
        var engine = new ScriptedEngine();
        await using var worker = await WorkerAsync(engine);
        var request = Requests.Create();
        var answer = await SendAsync(gateway, request);
        var held = await engine.NextAsync();
        await server.KillAsync();
        await held.Cancelled.Task.WaitAsync(_limit);
        Assert.False(await worker.IsReadyAsync());

        await server.StartAsync();
        await worker.ReadyAsync();
        var again = await engine.NextAsync();
        Assert.Equal(request.RequestId, again.Request.RequestId);
        again.Give(ReplyKind.Result, "{}");
        Assert.Equal("Result {}", (await answer.WaitAsync(_limit))[^1]);
    }

    private async Task<ServiceHost> WorkerAsync(IEngine engine, params (string Key, string Value)[] settings)
    {
        var worker = await ServiceHost.WorkerAsync(
            engine, [("ConnectionStrings:messaging", server.ConnectionString), ("Model:Version", _version), .. settings]);
        return await worker.ReadyAsync();
    }

    private Task<Task<List<string>>> SendAsync(MessagingHost gateway, InferenceRequest request) =>
        gateway.SendAsync(request, Queue, _version);

    /// <summary>Jobs in the queue that no worker holds.</summary>
    private async Task<uint> WaitingAsync()
    {
        await using var connection = await server.ConnectAsync();
        await using var channel = await connection.CreateChannelAsync();
        return await channel.MessageCountAsync(Queue);
    }
}
