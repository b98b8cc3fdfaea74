using System.Net;
using System.Text;
using AgentPlatform.Inference;
using AgentPlatform.Inference.OpenAI;
using AgentPlatform.Worker.Engines.Running;

namespace AgentPlatform.Tests.Worker.Engines.Running;

public sealed class DirectInferenceTests
{
    private static readonly TimeSpan _limit = TimeSpan.FromMinutes(1);

    [Fact]
    public async Task A_worker_is_alive_but_not_ready_and_refuses_requests_until_its_engine_is_loaded()
    {
        var load = new TaskCompletionSource();
        await using var worker = await ServiceHost.WorkerAsync(new ScriptedEngine { Load = load.Task });
        Assert.False(await worker.IsReadyAsync());
        Assert.True((await worker.Http.GetAsync(new Uri("/alive", UriKind.Relative))).IsSuccessStatusCode);
        var error = await Start(worker).FailureAsync();
        Assert.Equal((503, 5), (error.Status, error.RetryAfterSeconds));
        load.SetResult();
        await worker.ReadyAsync();
    }

    [Fact]
    public async Task A_request_is_answered_by_the_engine()
    {
        var engine = new ScriptedEngine();
        await using var worker = await ServiceHost.WorkerAsync(engine);
        await worker.ReadyAsync();
        var answer = Start(worker).ReadAsync();
        (await engine.NextAsync()).Give(ReplyKind.Result, "{}");
        Assert.Equal(["Started ", "Result {}"], await answer.WaitAsync(_limit));
    }

    [Fact]
    public async Task More_requests_than_may_wait_are_refused_with_when_to_retry()
    {
        var engine = new ScriptedEngine();
        await using var worker = await ServiceHost.WorkerAsync(engine, ("Engine:Slots", "1"), ("Engine:MaxWaiting", "1"));
        await worker.ReadyAsync();
        var running = Start(worker).ReadAsync();
        var run = await engine.NextAsync();
        var waiting = Start(worker).ReadAsync();
        var error = await Start(worker).FailureAsync();
        Assert.Equal((429, 1), (error.Status, error.RetryAfterSeconds));
        run.Give(ReplyKind.Result, "{}");
        (await engine.NextAsync()).Give(ReplyKind.Result, "{}");
        await Task.WhenAll(running, waiting).WaitAsync(_limit);
        Assert.Equal(0, worker.Get<EngineSlots>().Active);
    }

    [Fact]
    public async Task A_request_that_outlasts_the_drain_fails_with_when_to_retry()
    {
        var engine = new ScriptedEngine();
        await using var worker = await ServiceHost.WorkerAsync(engine, ("Stopping:DrainTimeout", "00:00:00.05"));
        await worker.ReadyAsync();
        using var body = new StringContent("""{"messages":[{"role":"user","content":"hi"}]}""", Encoding.UTF8, "application/json");
        var failure = worker.Http.PostAsync(new Uri("/invoke", UriKind.Relative), body);
        await engine.NextAsync();
        await worker.StopAsync().WaitAsync(_limit);
        using var response = await failure.WaitAsync(_limit);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, response.StatusCode);
        Assert.Equal(TimeSpan.FromSeconds(1), response.Headers.RetryAfter!.Delta);
    }

    private static IAsyncEnumerable<ReplyPart> Start(ServiceHost worker) =>
        worker.Get<DirectInference>().RunAsync(Requests.Create(), CancellationToken.None);
}
