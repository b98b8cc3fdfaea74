using System.Text;
using AgentPlatform.Inference;
using AgentPlatform.Messaging.Broker;
using AgentPlatform.Messaging.Dead;
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
        await using var graveyard = await Graveyard.OpenAsync(server);
        var id = await graveyard.BuryAsync("""{"x":"ü"}""", stream: true);
        var job = Assert.Single(await graveyard.JobsAsync());
        Assert.Equal((id, "poison", graveyard.Queue, false), (job.Id, job.Reason, job.Queue, job.IsByBroker));
        Assert.Equal([new DeadAttempt(0, "worker-a", 2, "lost"), new DeadAttempt(1, "worker-b", 2, "lost")], job.Story);
        Assert.NotNull(job.DiedAt);

        var again = job.ToRequest(Guid.Empty, default);
        Assert.Equal(("m", Operation.Chat, true, "acme"), (again.Model, again.Operation, again.Stream, again.Tenant));
        Assert.Equal("""{"x":"ü"}""", Encoding.UTF8.GetString(again.Body.Span));
    }

    [Fact]
    public async Task Thirty_looks_lose_nothing_even_if_some_are_cut_off()
    {
        await using var graveyard = await Graveyard.OpenAsync(server);
        var ids = new List<string>();
        for (var i = 0; i < 5; i++)
        {
            ids.Add(await graveyard.BuryAsync());
        }

        for (var look = 0; look < 30; look++)
        {
            Assert.Equal(ids.Order(), (await graveyard.IdsAsync()).Order());
            if (look % 5 == 0)
            {
                await LookAndBreakAsync(graveyard);
            }
        }

        Assert.Equal(ids.Order(), (await graveyard.IdsAsync()).Order());
    }

    [Fact]
    public async Task Readers_take_turns_and_what_one_keeps_the_next_does_not_see()
    {
        await using var graveyard = await Graveyard.OpenAsync(server);
        var (kept, other) = (await graveyard.BuryAsync(), await graveyard.BuryAsync());
        var first = await graveyard.ReaderAsync();
        var held = await ReadAsync(first);
        var second = graveyard.ReaderAsync();
        await Assert.ThrowsAsync<TimeoutException>(() => second.WaitAsync(TimeSpan.FromMilliseconds(500)));

        await first.KeepOnlyAsync([held.Single(job => job.Job.Id == kept)], CancellationToken.None);
        await using (var reader = await second)
        {
            Assert.Equal(other, Assert.Single(await ReadAsync(reader)).Job.Id);
        }

        await first.DisposeAsync();
        Assert.Equal(new[] { kept, other }.Order(), (await graveyard.IdsAsync()).Order());
    }

    [Fact]
    public async Task Only_what_is_removed_is_gone()
    {
        await using var graveyard = await Graveyard.OpenAsync(server);
        var ids = new List<string> { await graveyard.BuryAsync(), await graveyard.BuryAsync(), await graveyard.BuryAsync() };
        await using (var reader = await graveyard.ReaderAsync())
        {
            await reader.RemoveAsync((await ReadAsync(reader)).Single(held => held.Job.Id == ids[1]), CancellationToken.None);
        }

        Assert.Equal(new[] { ids[0], ids[2] }.Order(), (await graveyard.IdsAsync()).Order());
    }

    [Fact]
    public async Task Messages_that_the_broker_gave_up_say_why()
    {
        await using var graveyard = await Graveyard.OpenAsync(server);
        await using var connection = await graveyard.Factory.CreateConnectionAsync();
        await using var channel = await connection.CreateChannelAsync();
        await PublishAsync("rejected");
        await channel.BasicRejectAsync((await NextAsync())!.DeliveryTag, requeue: false);

        // A message that comes back again and again, as of workers that die: by closed channels, which every server counts.
        await PublishAsync("delivery_limit");
        await Side.UntilAsync(async () =>
        {
            await using var worker = await connection.CreateChannelAsync();
            await worker.BasicGetAsync(graveyard.Queue, autoAck: false);
            return (await graveyard.IdsAsync()).Contains("delivery_limit");
        });
        await Side.UntilAsync(async () => (await graveyard.JobsAsync()).Count == 2);

        foreach (var job in await graveyard.JobsAsync())
        {
            Assert.Equal((job.Id, graveyard.Queue, true), (job.Reason, job.Queue, job.IsByBroker));
            Assert.NotNull(job.DiedAt);
        }

        async Task PublishAsync(string id) => await channel.BasicPublishAsync(
            Topology.JobExchange, graveyard.Queue, mandatory: true, new BasicProperties { Persistent = true, MessageId = id }, "?"u8.ToArray());

        async Task<BasicGetResult?> NextAsync()
        {
            BasicGetResult? message = null;
            await Side.UntilAsync(async () => (message = await channel.BasicGetAsync(graveyard.Queue, autoAck: false)) is not null);
            return message;
        }
    }

    private static async Task<List<HeldJob>> ReadAsync(DeadReader reader)
    {
        List<HeldJob> all = [];
        await foreach (var held in reader.ReadAsync(CancellationToken.None))
        {
            all.Add(held);
        }

        return all;
    }

    // As a process that is killed while it looks.
    private static async Task LookAndBreakAsync(Graveyard graveyard)
    {
        await using (var connection = await graveyard.Factory.CreateConnectionAsync())
        {
            await using var channel = await connection.CreateChannelAsync();
            while (await channel.BasicGetAsync(Topology.DeadQueue, autoAck: false) is not null)
            {
                // All of it is handed out.
            }

            await connection.AbortAsync();
        }

        await Side.UntilAsync(async () =>
        {
            await using var connection = await graveyard.Factory.CreateConnectionAsync();
            await using var channel = await connection.CreateChannelAsync();
            return await channel.MessageCountAsync(Topology.DeadQueue) == 5;
        });
    }
}
