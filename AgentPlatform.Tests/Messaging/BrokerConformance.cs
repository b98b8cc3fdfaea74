using System.Collections.Concurrent;
using System.Text;
using AgentPlatform.Messaging.Broker;
using Microsoft.Extensions.DependencyInjection;

namespace AgentPlatform.Tests.Messaging;

/// <summary>What a broker's ports promise, looked at from outside of both sides; each broker runs it.</summary>
public abstract class BrokerConformance
{
    private static readonly TimeSpan _limit = TimeSpan.FromMinutes(1);

    private readonly string _queue = QueueNames.Job("m", Guid.NewGuid().ToString("N"));

    /// <summary>Registers the broker.</summary>
    protected abstract void AddBroker(IServiceCollection services);

    [Fact]
    public async Task A_job_arrives_as_it_was_sent()
    {
        await using var sender = await SenderAsync();
        await using var receiver = await ReceiverAsync();
        var sent = Message("1") with
        {
            Type = "Chat",
            ReplyTo = "infer.reply.x",
            Headers = new Dictionary<string, object?> { ["text"] = "ü", ["number"] = 7L, ["flag"] = true },
        };

        Assert.Equal(PublishOutcome.Confirmed, await sender.SendAsync(_queue, sent));
        var (message, settlement, isRedelivered) = await receiver.NextAsync();

        Assert.Equal((sent.Id, sent.Type, sent.ReplyTo, false), (message.Id, message.Type, message.ReplyTo, isRedelivered));
        Assert.Equal(sent.Body.ToArray(), message.Body.ToArray());
        Assert.All(sent.Headers, header => Assert.Equal(header.Value, message.Headers[header.Key]));
        await settlement.AcknowledgeAsync();
    }

    [Fact]
    public async Task A_queue_that_is_not_there_takes_nothing()
    {
        await using var sender = await SenderAsync();
        Assert.Equal(PublishOutcome.Returned, await sender.SendAsync(QueueNames.Job("nobody", Guid.NewGuid().ToString("N")), Message("1")));
    }

    [Fact]
    public async Task A_receiver_holds_no_more_than_it_asked_for_and_gets_the_next_when_it_has_settled_one()
    {
        await using var sender = await SenderAsync();
        await using var receiver = await ReceiverAsync(prefetch: 2);
        foreach (var id in new[] { "1", "2", "3" })
        {
            await sender.SendAsync(_queue, Message(id));
        }

        var (first, settlement, _) = await receiver.NextAsync();
        Assert.Equal("1", first.Id);
        Assert.Equal("2", (await receiver.NextAsync()).Message.Id);
        await Wait.UntilAsync(async () => (await sender.LookAsync(_queue)).Waiting == 1);
        Assert.True(receiver.IsEmpty);

        await settlement.AcknowledgeAsync();
        Assert.Equal("3", (await receiver.NextAsync()).Message.Id);
    }

    [Fact]
    public async Task What_is_given_back_goes_to_somebody_again()
    {
        await using var sender = await SenderAsync();
        await using var receiver = await ReceiverAsync();
        await sender.SendAsync(_queue, Message("1"));
        await (await receiver.NextAsync()).Settlement.ReturnAsync();

        var (message, settlement, isRedelivered) = await receiver.NextAsync();

        Assert.Equal(("1", true), (message.Id, isRedelivered));
        await settlement.AcknowledgeAsync();
        await Wait.UntilAsync(async () => (await sender.LookAsync(_queue)).Waiting == 0);
    }

    [Fact]
    public async Task What_a_receiver_held_that_is_gone_goes_to_another_and_it_hears_of_that()
    {
        await using var sender = await SenderAsync();
        var first = await ReceiverAsync();
        await sender.SendAsync(_queue, Message("1"));
        await first.NextAsync();
        await first.DisposeAsync();
        Assert.True(first.Lost.IsCancellationRequested);

        await using var second = await ReceiverAsync();
        Assert.Equal(("1", true), ((await second.NextAsync()) is var next ? next.Message.Id : null, next.IsRedelivered));
    }

    [Fact]
    public async Task A_receiver_that_is_detached_takes_nothing_more()
    {
        await using var sender = await SenderAsync();
        await using var receiver = await ReceiverAsync();
        await receiver.DetachAsync();
        await Wait.UntilAsync(async () => (await sender.LookAsync(_queue)).Consumers == 0);

        await sender.SendAsync(_queue, Message("1"));

        Assert.Equal(1u, (await sender.LookAsync(_queue)).Waiting);
        Assert.True(receiver.IsEmpty);
    }

    [Fact]
    public async Task What_nobody_can_do_is_among_the_dead_jobs_with_what_the_broker_says_of_it()
    {
        var id = Guid.NewGuid().ToString();
        await using var sender = await SenderAsync();
        await using var receiver = await ReceiverAsync();
        await sender.SendAsync(_queue, Message(id));
        await (await receiver.NextAsync()).Settlement.RejectAsync();

        HeldMessage? found = null;
        await Wait.UntilAsync(async () =>
        {
            await using var reader = await sender.OpenDeadAsync();
            await foreach (var held in reader.ReadAsync(CancellationToken.None))
            {
                found = held.Message.Id == id ? held : found;
            }

            return found is not null;
        });
        Assert.Equal(("rejected", _queue), (found!.Message.Death!.Reason, found.Message.Death.Queue));
    }

    [Fact]
    public async Task Dead_jobs_stay_until_one_removes_them()
    {
        var id = Guid.NewGuid().ToString();
        await using var sender = await SenderAsync();
        Assert.Equal(PublishOutcome.Confirmed, await sender.PutDeadAsync(Message(id)));

        Assert.Equal(1, await CountAsync(remove: false));
        Assert.Equal(1, await CountAsync(remove: true));
        Assert.Equal(0, await CountAsync(remove: false));

        async Task<int> CountAsync(bool remove)
        {
            await using var reader = await sender.OpenDeadAsync();
            List<HeldMessage> found = [];
            await foreach (var held in reader.ReadAsync(CancellationToken.None))
            {
                found.AddRange(held.Message.Id == id ? [held] : []);
            }

            foreach (var held in remove ? found : [])
            {
                await reader.RemoveAsync(held, CancellationToken.None);
            }

            return found.Count;
        }
    }

    [Fact]
    public async Task An_expired_job_is_given_to_nobody()
    {
        await using var sender = await SenderAsync();
        await sender.SendAsync(_queue, Message("late") with { Expiration = TimeSpan.FromMilliseconds(1) });
        await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System);
        await sender.SendAsync(_queue, Message("next"));

        await using var receiver = await ReceiverAsync();

        Assert.Equal("next", (await receiver.NextAsync()).Message.Id);
    }

    [Fact]
    public async Task A_queue_that_is_not_there_is_made_where_it_is_asked_for()
    {
        await using var sender = await SenderAsync();
        var queue = QueueNames.Job("other", Guid.NewGuid().ToString("N"));
        Assert.Equal(default, await sender.LookAsync(queue));

        await sender.RestoreAsync(queue);

        Assert.Equal(new QueueState(Exists: true, 0, 0), await sender.LookAsync(queue));
        Assert.Equal(PublishOutcome.Confirmed, await sender.SendAsync(QueueNames.Resume(queue), Message("1")));
    }

    private static BrokerMessage Message(string id) => new() { Id = id, Body = Encoding.UTF8.GetBytes($"body of {id}") };

    private async Task<Sender> SenderAsync() => new(await MessagingHost.GatewayAsync(AddBroker, _queue));

    private async Task<Receiver> ReceiverAsync(ushort prefetch = 4)
    {
        var handler = new Handler();
        var side = await MessagingHost.WorkerAsync(services =>
        {
            AddBroker(services);
            services.AddSingleton<IJobHandler>(handler);
        }, _queue, prefetch);
        await side.Get<IJobReceiver>().AttachAsync(CancellationToken.None);
        return new Receiver(side, handler);
    }

    private sealed class Sender(MessagingHost side) : IAsyncDisposable
    {
        public Task<PublishOutcome> SendAsync(string queue, BrokerMessage message) =>
            side.Get<IJobSender>().SendAsync(queue, message, CancellationToken.None).WaitAsync(_limit);

        public async Task<QueueState> LookAsync(string queue) =>
            (await side.Get<IQueueInspector>().LookAsync(queue, CancellationToken.None).WaitAsync(_limit))!.Value;

        public Task RestoreAsync(string queue) => side.Get<IQueueInspector>().RestoreAsync(queue, CancellationToken.None).WaitAsync(_limit);

        public Task<PublishOutcome> PutDeadAsync(BrokerMessage message) => side.Get<IDeadLetters>().PutAsync(message).WaitAsync(_limit);

        public Task<IDeadReader> OpenDeadAsync() => side.Get<IDeadLetters>().OpenAsync(CancellationToken.None).WaitAsync(_limit);

        public ValueTask DisposeAsync() => side.DisposeAsync();
    }

    private sealed class Receiver(MessagingHost side, Handler handler) : IAsyncDisposable
    {
        public bool IsEmpty => handler.Messages.IsEmpty;

        public CancellationToken Lost => handler.Lost;

        public async Task<(BrokerMessage Message, ISettlement Settlement, bool IsRedelivered)> NextAsync()
        {
            (BrokerMessage, ISettlement, bool) next = default;
            await Wait.UntilAsync(() => handler.Messages.TryDequeue(out next));
            return next;
        }

        public Task DetachAsync() => side.Get<IJobReceiver>().DetachAsync(CancellationToken.None).WaitAsync(_limit);

        public ValueTask DisposeAsync() => side.DisposeAsync();
    }

    private sealed class Handler : IJobHandler
    {
        public ConcurrentQueue<(BrokerMessage Message, ISettlement Settlement, bool IsRedelivered)> Messages { get; } = new();

        public CancellationToken Lost { get; private set; }

        public Task HandleAsync(BrokerMessage message, ISettlement settlement, bool isRedelivered, CancellationToken lost)
        {
            Lost = lost;
            Messages.Enqueue((message, settlement, isRedelivered));
            return Task.CompletedTask;
        }
    }
}
