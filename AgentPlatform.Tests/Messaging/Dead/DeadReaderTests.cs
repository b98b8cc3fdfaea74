using System.Text;
using AgentPlatform.Inference;
using AgentPlatform.Messaging.Broker;
using AgentPlatform.Messaging.Dead;
using AgentPlatform.Messaging.RabbitMQ;
using AgentPlatform.Messaging.Wire;
using AgentPlatform.Tests.Broker;
using RabbitMQ.Client;

namespace AgentPlatform.Tests.Messaging.Dead;

[Trait("Category", "Broker")]
[Collection(BrokerGroup.Name)]
public sealed class DeadReaderTests(RabbitMQServer server)
{
    [Fact]
    public async Task A_dead_job_is_found_with_its_story_and_all_that_runs_it_again()
    {
        await using var dead = await DeadLetterQueue.OpenAsync(server);
        var id = await dead.AddAsync("""{"x":"ü"}""", stream: true);
        var job = Assert.Single(await dead.JobsAsync());
        Assert.Equal((id, "poison", dead.Queue, false), (job.Id, job.Reason, job.Queue, job.IsByBroker));
        Assert.Equal([new DeadAttempt(0, "worker-a", 2, "lost"), new DeadAttempt(1, "worker-b", 2, "lost")], job.Attempts);
        Assert.NotNull(job.DiedAt);

        var again = job.ToRequest(Guid.Empty, default);
        Assert.Equal(("m", Operation.Chat, true, "acme"), (again.Model, again.Operation, again.Stream, again.Tenant));
        Assert.Equal("""{"x":"ü"}""", Encoding.UTF8.GetString(again.Body.Span));
    }

    [Fact]
    public async Task Thirty_looks_lose_nothing_even_if_some_are_cut_off()
    {
        await using var dead = await DeadLetterQueue.OpenAsync(server);
        var ids = new List<string>();
        for (var i = 0; i < 5; i++)
        {
            ids.Add(await dead.AddAsync());
        }

        for (var look = 0; look < 30; look++)
        {
            Assert.Equal(ids.Order(), (await dead.IdsAsync()).Order());
            if (look % 5 == 0)
            {
                await LookAndBreakAsync(dead);
            }
        }

        Assert.Equal(ids.Order(), (await dead.IdsAsync()).Order());
    }

    [Fact]
    public async Task Readers_take_turns_and_what_one_keeps_the_next_does_not_see()
    {
        await using var dead = await DeadLetterQueue.OpenAsync(server);
        var (kept, other) = (await dead.AddAsync(), await dead.AddAsync());
        var first = await dead.ReaderAsync();
        var held = await ReadAsync(first);
        var second = dead.ReaderAsync();
        await Assert.ThrowsAsync<TimeoutException>(() => second.WaitAsync(TimeSpan.FromMilliseconds(500)));

        await first.KeepOnlyAsync([held.Single(job => job.Job.Id == kept).Message], CancellationToken.None);
        await using (var reader = await second)
        {
            Assert.Equal(other, Assert.Single(await ReadAsync(reader)).Job.Id);
        }

        await first.DisposeAsync();
        Assert.Equal(new[] { kept, other }.Order(), (await dead.IdsAsync()).Order());
    }

    [Fact]
    public async Task Only_what_is_removed_is_gone()
    {
        await using var dead = await DeadLetterQueue.OpenAsync(server);
        var ids = new List<string> { await dead.AddAsync(), await dead.AddAsync(), await dead.AddAsync() };
        await using (var reader = await dead.ReaderAsync())
        {
            await reader.RemoveAsync((await ReadAsync(reader)).Single(held => held.Job.Id == ids[1]).Message, CancellationToken.None);
        }

        Assert.Equal(new[] { ids[0], ids[2] }.Order(), (await dead.IdsAsync()).Order());
    }

    [Fact]
    public async Task Messages_that_the_broker_gave_up_say_why()
    {
        await using var dead = await DeadLetterQueue.OpenAsync(server);
        await using var connection = await dead.Factory.CreateConnectionAsync();
        await using var channel = await connection.CreateChannelAsync();
        await PublishAsync("rejected");
        await channel.BasicRejectAsync((await NextAsync())!.DeliveryTag, requeue: false);

        // A message that comes back again and again, as of workers that die: by closed channels, which every server counts.
        await PublishAsync("delivery_limit");
        await Wait.UntilAsync(async () =>
        {
            await using var worker = await connection.CreateChannelAsync();
            await worker.BasicGetAsync(dead.Queue, autoAck: false);
            return (await dead.IdsAsync()).Contains("delivery_limit");
        });
        await Wait.UntilAsync(async () => (await dead.JobsAsync()).Count == 2);

        foreach (var job in await dead.JobsAsync())
        {
            Assert.Equal((job.Id, dead.Queue, true), (job.Reason, job.Queue, job.IsByBroker));
            Assert.NotNull(job.DiedAt);
        }

        async Task PublishAsync(string id) => await channel.BasicPublishAsync(
            Topology.JobExchange, dead.Queue, mandatory: true, new BasicProperties { Persistent = true, MessageId = id }, "?"u8.ToArray());

        async Task<BasicGetResult?> NextAsync()
        {
            BasicGetResult? message = null;
            await Wait.UntilAsync(async () => (message = await channel.BasicGetAsync(dead.Queue, autoAck: false)) is not null);
            return message;
        }
    }

    private static async Task<List<HeldJob>> ReadAsync(IDeadReader reader)
    {
        List<HeldJob> all = [];
        await foreach (var held in HeldJob.ReadAsync(reader, CancellationToken.None))
        {
            all.Add(held);
        }

        return all;
    }

    // As a process that is killed while it looks.
    private static async Task LookAndBreakAsync(DeadLetterQueue dead)
    {
        await using (var connection = await dead.Factory.CreateConnectionAsync())
        {
            await using var channel = await connection.CreateChannelAsync();
            while (await channel.BasicGetAsync(QueueNames.Dead, autoAck: false) is not null)
            {
                // All of it is handed out.
            }

            await connection.AbortAsync();
        }

        await Wait.UntilAsync(async () =>
        {
            await using var connection = await dead.Factory.CreateConnectionAsync();
            await using var channel = await connection.CreateChannelAsync();
            return await channel.MessageCountAsync(QueueNames.Dead) == 5;
        });
    }
}
