using System.Diagnostics;
using System.Text;
using AgentPlatform.Inference;
using AgentPlatform.Messaging.Answering;
using AgentPlatform.Messaging.Asking;
using AgentPlatform.Messaging.Broker;
using AgentPlatform.Messaging.Wire;
using Microsoft.Extensions.DependencyInjection;

namespace AgentPlatform.Tests.Messaging;

/// <summary>What both sides of any broker can rely on; each broker runs it.</summary>
public abstract class RoundTripConformance
{
    private protected string Queue { get; } = QueueNames.Job("m", Guid.NewGuid().ToString("N"));

    /// <summary>Registers the broker.</summary>
    protected abstract void AddBroker(IServiceCollection services);

    [Fact]
    public async Task A_job_reaches_the_worker_as_it_was_sent_and_its_parts_come_back_in_order()
    {
        await using var gateway = await MessagingHost.GatewayAsync(AddBroker, Queue);
        await using var worker = await WorkerAsync();
        var request = Request(stream: true) with { Tenant = "acme" };
        var answer = await SendAsync(gateway, request);

        var delivery = await NextAsync(worker);
        Assert.Equal(request with { Body = default }, delivery.Request with { Body = default, TimeLimit = default });
        Assert.Equal(request.Body.ToArray(), delivery.Request.Body.ToArray());
        Assert.Equal((0, false), (delivery.Issue, delivery.IsRepeated));

        using var writer = worker.Get<FrameSender>().Open(delivery.ReplyQueue, request.RequestId);
        writer.Begin(attempt: 0, offset: 0);
        writer.Start(new StartedNote("w").ToUtf8());
        for (var i = 0; i < 100; i++)
        {
            writer.Write(new ReplyPart(ReplyKind.Delta, Encoding.UTF8.GetBytes($"{{\"n\":{i}}}")));
        }

        Assert.True(await writer.CompleteAsync(new ReplyPart(ReplyKind.End, default)));
        await delivery.AcknowledgeAsync();

        var parts = await ReadAsync(answer);
        Assert.Equal(Enumerable.Range(0, 100).Select(i => $"Delta {{\"n\":{i}}}"), parts[..^1]);
        Assert.Equal("End ", parts[^1]);
    }

    [Fact]
    public async Task A_job_that_a_lost_worker_held_goes_to_another_that_asks_from_where()
    {
        await using var gateway = await MessagingHost.GatewayAsync(AddBroker, Queue);
        var first = await WorkerAsync();
        var request = Request(stream: false);
        var answer = await SendAsync(gateway, request);
        var held = await NextAsync(first);
        await first.DisposeAsync();
        Assert.True(held.Lost.IsCancellationRequested);

        await using var second = await WorkerAsync();
        var delivery = await NextAsync(second);
        Assert.Equal((0, true), (delivery.Issue, delivery.IsRepeated));
        using var writer = second.Get<FrameSender>().Open(delivery.ReplyQueue, request.RequestId);
        var grant = await second.Get<TakeoverQuestions>().AskAsync(delivery, writer, CancellationToken.None)
            .WaitAsync(TimeSpan.FromMinutes(1));
        Assert.Equal((1, null, false), (grant!.Attempt, grant.PartialAnswer, grant.Alone));
        writer.Begin(grant.Attempt, offset: 0);
        Assert.True(await writer.CompleteAsync(new ReplyPart(ReplyKind.Result, "{}"u8.ToArray())));
        await delivery.AcknowledgeAsync();
        Assert.Equal(["Result {}"], await ReadAsync(answer));
    }

    [Fact]
    public async Task A_job_that_comes_back_after_its_client_left_is_dropped()
    {
        await using var gateway = await MessagingHost.GatewayAsync(AddBroker, Queue);
        var first = await WorkerAsync();
        var request = Request(stream: true);
        await SendAsync(gateway, request);
        await NextAsync(first);
        gateway.Get<ReplyReceiver>().Forget(request.RequestId);
        await first.DisposeAsync();

        await using var second = await WorkerAsync();
        var delivery = await NextAsync(second);
        using var writer = second.Get<FrameSender>().Open(delivery.ReplyQueue, request.RequestId);
        Assert.Null(
            await second.Get<TakeoverQuestions>().AskAsync(delivery, writer, CancellationToken.None).WaitAsync(TimeSpan.FromMinutes(1)));
        await delivery.AcknowledgeAsync();
    }

    [Fact]
    public async Task A_cancel_reaches_the_work_whether_it_runs_or_still_waits()
    {
        await using var gateway = await MessagingHost.GatewayAsync(AddBroker, Queue);
        await using var worker = await WorkerAsync();
        var listener = worker.Get<Cancellations>();
        var (running, waiting) = (Guid.NewGuid(), Guid.NewGuid());
        using var runningWork = new CancellationTokenSource();
        using var watch = listener.Watch(running, 0, runningWork);
        gateway.Get<ControlPublisher>().Cancel(waiting);
        gateway.Get<ControlPublisher>().Cancel(running);
        await Wait.UntilAsync(() => runningWork.IsCancellationRequested);

        using var waitingWork = new CancellationTokenSource();
        using var lateWatch = listener.Watch(waiting, 0, waitingWork);
        Assert.True(waitingWork.IsCancellationRequested);
    }

    [Fact]
    public async Task A_worker_hears_that_the_gateway_is_gone()
    {
        await using var worker = await WorkerAsync();
        using var writer = worker.Get<FrameSender>().Open("infer.reply.nobody", Guid.NewGuid());
        writer.Write(new ReplyPart(ReplyKind.Delta, "{}"u8.ToArray()));
        await Wait.UntilAsync(() => writer.Gone.IsCancellationRequested);
        Assert.False(await writer.CompleteAsync(new ReplyPart(ReplyKind.End, default)));
    }

    [Fact]
    public async Task Frames_of_many_streams_share_messages()
    {
        const int Streams = 50, Steps = 20;
        await using var gateway = await MessagingHost.GatewayAsync(AddBroker, Queue);
        await using var worker = await WorkerAsync();
        var receiver = gateway.Get<ReplyReceiver>();
        var requests = Enumerable.Range(0, Streams).Select(_ => Request(stream: true)).ToList();
        var answers = requests.Select(request => ReadAsync(receiver.Admit(request, Queue, "1"))).ToList();
        var writers = requests.Select(request => worker.Get<FrameSender>().Open(receiver.Address, request.RequestId)).ToList();
        using var sent = new CounterListener("AgentPlatform.Messaging", "messaging.client.sent.messages");
        for (var step = 0; step < Steps; step++)
        {
            writers.ForEach(writer => writer.Write(new ReplyPart(ReplyKind.Delta, "{}"u8.ToArray())));
        }

        Assert.All(await Task.WhenAll(writers.Select(writer => writer.CompleteAsync(new ReplyPart(ReplyKind.End, default)))), Assert.True);
        Assert.All(await Task.WhenAll(answers), answer => Assert.Equal(Steps + 1, answer.Count));
        Assert.InRange(sent.Total, 1, Steps * 3);
        writers.ForEach(writer => writer.Dispose());
    }

    [Fact]
    public async Task One_trace_covers_publish_and_work()
    {
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name.StartsWith("AgentPlatform", StringComparison.Ordinal),
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
        };
        ActivitySource.AddActivityListener(listener);
        await using var gateway = await MessagingHost.GatewayAsync(AddBroker, Queue);
        await using var worker = await WorkerAsync();
        using var parent = new ActivitySource("AgentPlatform.Test").StartActivity("request")!;
        await SendAsync(gateway, Request(stream: false));
        Activity.Current = null;
        using var work = (await NextAsync(worker)).StartProcessing();
        Assert.Equal(parent.TraceId, work!.TraceId);
        Assert.NotEqual(parent.SpanId, work.ParentSpanId);
    }

    private protected static InferenceRequest Request(bool stream) => new()
    {
        RequestId = Guid.NewGuid(),
        Model = "m",
        Operation = Operation.Chat,
        Stream = stream,
        Deadline = DateTimeOffset.FromUnixTimeMilliseconds(4_000_000_000_000),
        Body = """{"model":"m","x":"ü"}"""u8.ToArray(),
    };

    private protected async Task<MessagingHost> WorkerAsync()
    {
        var worker = await MessagingHost.WorkerAsync(AddBroker, Queue, prefetch: 4);
        await worker.Get<IJobReceiver>().AttachAsync(CancellationToken.None);
        return worker;
    }

    private protected Task<ReplyAssembly> SendAsync(MessagingHost gateway, InferenceRequest request) =>
        gateway.BeginAsync(request, Queue, "1");

    private protected static async Task<Delivery> NextAsync(MessagingHost worker)
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
