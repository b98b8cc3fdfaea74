using System.Collections.Concurrent;
using System.Diagnostics;
using AgentPlatform.Inference;
using AgentPlatform.Messaging;
using AgentPlatform.Messaging.Asking;
using AgentPlatform.Messaging.Broker;
using AgentPlatform.Messaging.InMemory;
using AgentPlatform.Tests.Messaging;
using AgentPlatform.Worker.Engines;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace AgentPlatform.Tests.Worker.Jobs;

public sealed class JobTests : IDisposable
{
    private static readonly TimeSpan _limit = TimeSpan.FromMinutes(1);

    // Each test has a queue of its own.
    private readonly string _version = Guid.NewGuid().ToString("N");

    private readonly InMemoryBroker _broker = new(TimeProvider.System);

    private string Queue => QueueNames.Job("m", _version);

    public void Dispose() => _broker.Dispose();

    [Fact]
    public async Task A_job_is_answered_and_acknowledged_after_its_last_frame()
    {
        using var outcomes = new JobOutcomes(Queue);
        await using var gateway = await MessagingHost.GatewayAsync(AddBroker, Queue);
        var engine = new ScriptedEngine();
        await using (var worker = await WorkerAsync(engine))
        {
            var answer = await SendAsync(gateway, Requests.Create(stream: true));
            var run = await engine.NextAsync();
            run.Give(ReplyKind.Delta, """{"n":1}""");
            run.Give(ReplyKind.End, """{"total_tokens":1}""");
            var parts = await answer.WaitAsync(_limit);
            Assert.Equal(["""Delta {"n":1}""", """End {"total_tokens":1}"""], parts);

            // The last part may be with the client before the engine's run has ended.
            await Wait.UntilAsync(() => worker.ActiveSlots == 0).WaitAsync(_limit);
        }

        Assert.Equal(0u, await WaitingAsync());
        Assert.Equal(["completed"], outcomes.All);
    }

    [Fact]
    public async Task A_worker_takes_no_job_before_its_engine_is_loaded()
    {
        await using var gateway = await MessagingHost.GatewayAsync(AddBroker, Queue);
        var load = new TaskCompletionSource();
        var engine = new ScriptedEngine { Load = load.Task };
        await using var worker = await StartAsync(engine);
        await Wait.UntilAsync(async () => (await worker.Get<HealthCheckService>()
            .CheckHealthAsync(check => check.Name == MessagingExtensions.HealthCheck)).Status == HealthStatus.Healthy);
        var answer = await SendAsync(gateway, Requests.Create());
        Assert.Equal(1u, await WaitingAsync());
        Assert.False(await worker.IsReadyAsync());
        load.SetResult();
        (await engine.NextAsync()).Give(ReplyKind.Result, "{}");
        await answer.WaitAsync(_limit);
        await worker.ReadyAsync();
    }

    [Fact]
    public async Task A_cancel_frees_the_slot_for_the_next_job_and_the_cancelled_one_is_not_redone()
    {
        using var outcomes = new JobOutcomes(Queue);
        await using var gateway = await MessagingHost.GatewayAsync(AddBroker, Queue);
        var engine = new ScriptedEngine();
        await using (var worker = await WorkerAsync(engine, ("Engine:Slots", "1")))
        {
            var leaving = Requests.Create(stream: true);
            _ = await SendAsync(gateway, leaving);
            var left = await engine.NextAsync();
            left.Give(ReplyKind.Delta, "{}");
            var waiting = Requests.Create(stream: true);
            _ = await SendAsync(gateway, waiting);
            var answer = await SendAsync(gateway, Requests.Create());

            // The second leaves while its job still waits in the broker.
            gateway.Get<ControlPublisher>().Cancel(waiting.RequestId);
            gateway.Get<ControlPublisher>().Cancel(leaving.RequestId);
            await left.Cancelled.Task.WaitAsync(_limit);

            var next = await engine.NextAsync();
            next.Give(ReplyKind.Result, "{}");
            await answer.WaitAsync(_limit);
            Assert.NotEqual(waiting.RequestId, next.Request.RequestId);
            Assert.False(engine.HasNext);
        }

        Assert.Equal(0u, await WaitingAsync());
        Assert.Equal(["cancelled", "cancelled", "completed"], outcomes.All);
    }

    [Fact]
    public async Task An_engine_that_fails_fails_its_job_once_and_serves_the_next()
    {
        await using var gateway = await MessagingHost.GatewayAsync(AddBroker, Queue);
        var engine = new ScriptedEngine();
        await using var worker = await WorkerAsync(engine, ("Engine:Slots", "1"));
        var answer = await SendAsync(gateway, Requests.Create());
        (await engine.NextAsync()).Fail(new InvalidOperationException("out of memory"));
        Assert.Equal("engine_error", (await Assert.ThrowsAsync<InferenceException>(() => answer.WaitAsync(_limit))).Error.Code);

        var next = await SendAsync(gateway, Requests.Create());
        (await engine.NextAsync()).Give(ReplyKind.Result, "{}");
        await next.WaitAsync(_limit);
    }

    [Fact]
    public async Task Two_workers_share_the_load()
    {
        await using var gateway = await MessagingHost.GatewayAsync(AddBroker, Queue);
        ScriptedEngine[] engines = [new(), new()];
        await using var first = await WorkerAsync(engines[0], ("Engine:Slots", "1"));
        await using var second = await WorkerAsync(engines[1], ("Engine:Slots", "1"));
        Task<List<string>>[] answers = [await SendAsync(gateway, Requests.Create()), await SendAsync(gateway, Requests.Create())];
        foreach (var run in await Task.WhenAll(engines[0].NextAsync(), engines[1].NextAsync()))
        {
            run.Give(ReplyKind.Result, "{}");
        }

        await Task.WhenAll(answers).WaitAsync(_limit);
    }

    [Fact]
    public async Task A_worker_that_stops_finishes_what_runs_and_leaves_the_rest_to_others()
    {
        await using var gateway = await MessagingHost.GatewayAsync(AddBroker, Queue);
        var engine = new ScriptedEngine();
        var worker = await WorkerAsync(engine, ("Engine:Slots", "1"), ("Stopping:DrainTimeout", "00:01:00"));
        var answer = await SendAsync(gateway, Requests.Create(stream: true));
        var run = await engine.NextAsync();
        var stopped = worker.StopAsync();
        await Wait.UntilAsync(() => !worker.Get<IJobReceiver>().IsAttached);
        var other = await SendAsync(gateway, Requests.Create());
        run.Give(ReplyKind.End);
        await answer.WaitAsync(_limit);
        await stopped.WaitAsync(_limit);
        Assert.False(engine.HasNext);
        await worker.DisposeAsync();

        var secondEngine = new ScriptedEngine();
        await using var second = await WorkerAsync(secondEngine);
        (await secondEngine.NextAsync()).Give(ReplyKind.Result, "{}");
        await other.WaitAsync(_limit);
    }

    [Fact]
    public async Task A_job_that_outlasts_the_drain_is_done_by_another_worker_and_the_client_sees_one_answer()
    {
        using var outcomes = new JobOutcomes(Queue);
        await using var gateway = await MessagingHost.GatewayAsync(AddBroker, Queue);
        var engine = new ScriptedEngine();
        var worker = await WorkerAsync(engine, ("Stopping:DrainTimeout", "00:00:00"));
        var answer = await SendAsync(gateway, Requests.Create(stream: true));
        var run = await engine.NextAsync();
        run.Give(ReplyKind.Delta, """{"n":1}""");
        await worker.DisposeAsync();
        await run.Cancelled.Task.WaitAsync(_limit);
        await Wait.UntilAsync(async () => await WaitingAsync() == 1);

        var secondEngine = new ScriptedEngine();
        await using var second = await WorkerAsync(secondEngine);
        var again = await secondEngine.NextAsync();
        again.Give(ReplyKind.Delta, """{"n":1}""");
        again.Give(ReplyKind.Delta, """{"n":2}""");
        again.Give(ReplyKind.End);
        Assert.Equal(["""Delta {"n":1}""", """Delta {"n":2}""", "End "], await answer.WaitAsync(_limit));
        Assert.Equal("lost", outcomes.All.First());
    }

    [Fact]
    public async Task When_the_gateway_is_gone_the_work_ends_and_is_not_redone()
    {
        using var outcomes = new JobOutcomes(Queue);
        var gateway = await MessagingHost.GatewayAsync(AddBroker, Queue);
        var engine = new ScriptedEngine();
        await using (var worker = await WorkerAsync(engine))
        {
            _ = await SendAsync(gateway, Requests.Create(stream: true));
            var run = await engine.NextAsync();
            await gateway.DisposeAsync();
            run.Give(ReplyKind.Delta, "{}");
            await run.Cancelled.Task.WaitAsync(_limit);
            await Wait.UntilAsync(() => worker.ActiveSlots == 0);
        }

        Assert.Equal(0u, await WaitingAsync());
        Assert.Equal(["orphaned"], outcomes.All);
    }

    [Fact]
    public async Task A_job_that_breaks_its_handler_is_tried_once_more_and_then_its_client_is_told()
    {
        await using var gateway = await MessagingHost.GatewayAsync(AddBroker, Queue);
        var engine = new ScriptedEngine();
        await using (var worker = await WorkerAsync(engine))
        {
            var answer = await SendAsync(gateway, Requests.Create(stream: true));
            for (var run = 0; run < 2; run++)
            {
                // More than a frame can hold.
                (await engine.NextAsync()).Parts.Writer.TryWrite(new ReplyPart(ReplyKind.Delta, "{}"u8.ToArray(), new byte[70_000]));
            }

            Assert.Equal("engine_error", (await Assert.ThrowsAsync<InferenceException>(() => answer.WaitAsync(_limit))).Error.Code);
        }

        Assert.Equal(0u, await WaitingAsync());
    }

    [Fact]
    public async Task One_trace_leads_from_the_publisher_over_the_job_to_the_engine()
    {
        var ended = new ConcurrentQueue<Activity>();
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name.StartsWith("AgentPlatform", StringComparison.Ordinal),
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = ended.Enqueue,
        };
        ActivitySource.AddActivityListener(listener);
        await using var gateway = await MessagingHost.GatewayAsync(AddBroker, Queue);
        var engine = new ScriptedEngine();
        ActivityTraceId trace;
        await using (var worker = await WorkerAsync(engine))
        {
            using var source = new ActivitySource("AgentPlatform.Test");
            using var parent = source.StartActivity("request")!;
            trace = parent.TraceId;
            var answer = await SendAsync(gateway, Requests.Create());
            (await engine.NextAsync()).Give(ReplyKind.Result, """{"usage":{"prompt_tokens":3,"completion_tokens":5}}""");
            await answer.WaitAsync(_limit);
        }

        var spans = ended.Where(span => span.TraceId == trace).ToList();
        var (job, chat) = (
            spans.Single(span => span.DisplayName == $"process {Queue}"), spans.Single(span => span.DisplayName == "chat m"));
        Assert.Equal(spans.Single(span => span.DisplayName == $"send {Queue}").SpanId, job.ParentSpanId);
        Assert.Equal(job.SpanId, chat.ParentSpanId);
        Assert.Equal("completed", job.GetTagItem("agentplatform.job.outcome"));
        Assert.Equal(5L, chat.GetTagItem("gen_ai.usage.output_tokens"));
        Assert.Null(chat.GetTagItem("error.type"));
    }

    private Task<ServiceHost> StartAsync(IEngine engine, params (string Key, string Value)[] settings) =>
        ServiceHost.WorkerAsync(engine, AddBroker, [("Model:Version", _version), .. settings]);

    private async Task<ServiceHost> WorkerAsync(IEngine engine, params (string Key, string Value)[] settings)
    {
        var worker = await StartAsync(engine, settings);
        return await worker.ReadyAsync();
    }

    private void AddBroker(IServiceCollection services) => services.AddInMemoryBroker(_broker);

    private Task<Task<List<string>>> SendAsync(MessagingHost gateway, InferenceRequest request) =>
        gateway.SendAsync(request, Queue, _version);

    /// <summary>Jobs in the queue that no worker holds.</summary>
    private async Task<uint> WaitingAsync() => (await _broker.LookAsync(Queue, CancellationToken.None))!.Value.Waiting;
}
