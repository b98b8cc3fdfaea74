using System.Text.Json;
using AgentPlatform.Inference.Batching;
using AgentPlatform.Inference.OpenAI;
using AgentPlatform.Tests.Inference.OpenAI;
using Microsoft.AspNetCore.Http;

namespace AgentPlatform.Tests.Worker.Engines.Triton;

public sealed class TritonClassifierTests
{
    private static readonly TimeSpan _limit = TimeSpan.FromMinutes(1);

    private static readonly float[] _neutral = [0.1f, 0.8f, 0.1f];
    private static readonly float[] _positive = [0, 0, 1];

    // The longer a text, the better.
    private static readonly Func<string, float[]> _byLength = text => [0.9f / (text.Length + 1), 0.1f, 0.9f - (0.9f / (text.Length + 1))];

    [Fact]
    public async Task A_text_is_answered_with_its_best_label_and_that_ones_probability()
    {
        await using var server = await InferenceServer.StartAsync(ServedModel.Classifier(_ => [0.2f, 0.1f, 0.7f]));
        await using var engine = await TritonEngines.LoadAsync(server, classifies: true);
        await engine.WarmUpAsync(CancellationToken.None);
        Assert.Equal(["""Result {"sentiment":"Positive","confidence":0.7}"""], await engine.Analyze("I love it ü😀").ReadAsync());
        Assert.Equal("I love it ü😀", (string)server.Inferences.Last()["TEXT"].Single()!);
    }

    [Fact]
    public async Task Logits_become_probabilities()
    {
        await using var server = await InferenceServer.StartAsync(ServedModel.Classifier(_ => [MathF.Log(6), 0, 0]));
        await using var engine = await TritonEngines.LoadAsync(server, options =>
            options.Scores = AgentPlatform.Worker.Engines.Triton.TritonScores.Logits, classifies: true);
        using var answer = JsonDocument.Parse((await engine.Analyze("x").ReadAsync()).Single()["Result ".Length..]);
        Assert.Equal("Negative", answer.RootElement.GetProperty("sentiment").GetString());
        Assert.Equal(0.75, answer.RootElement.GetProperty("confidence").GetDouble(), 5);
    }

    [Theory]
    [InlineData(8, 4, true, 4)] // The server's limit
    [InlineData(2, 100, true, 2)] // The worker's
    [InlineData(8, 0, false, 8)] // No limit of the server's, which is not Triton
    public async Task Batches_are_as_large_as_worker_and_model_allow_and_give_what_each_text_gets_alone(
        int worker, int model, bool isTriton, int expected)
    {
        var gate = new TaskCompletionSource();
        var classifier = ServedModel.Classifier(_byLength, model) with { HasConfig = isTriton };
        var infer = classifier.Infer;
        await using var server = await InferenceServer.StartAsync(classifier with
        {
            Infer = async (inputs, batch) =>
            {
                await gate.Task;
                return await infer(inputs, batch);
            },
        });
        await using var engine = await TritonEngines.LoadAsync(server, batching: new BatchingOptions { MaxBatchSize = worker },
            classifies: true);
        var texts = Enumerable.Range(1, 20).Select(length => new string('x', length)).ToList();
        var first = engine.Analyze("first").ReadAsync();
        await Wait.UntilAsync(() => !server.Inferences.IsEmpty);
        var answers = texts.Select(text => engine.Analyze(text).ReadAsync()).ToList();
        gate.SetResult();
        await first.WaitAsync(_limit);
        await Task.WhenAll(answers).WaitAsync(_limit);
        var sizes = server.Inferences.Select(inference => inference["TEXT"].Length).ToList();
        Assert.Equal(expected, sizes.Max());
        foreach (var (text, answer) in texts.Zip(answers))
        {
            Assert.Equal(await engine.Analyze(text).ReadAsync(), await answer);
        }
    }

    [Fact]
    public async Task A_model_that_takes_one_text_gets_one_at_a_time()
    {
        var model = new ServedModel([new("TEXT", "BYTES", [1])], [new("SCORES", "FP32", [3])])
        {
            Infer = (_, _) => Task.FromResult<(string, long[], object)>(("FP32", [3], _neutral)),
        };
        await using var server = await InferenceServer.StartAsync(model);
        await using var engine = await TritonEngines.LoadAsync(server, classifies: true);
        var answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(i => engine.Analyze($"{i}").ReadAsync())).WaitAsync(_limit);
        Assert.All(answers, answer => Assert.Contains("Neutral", Assert.Single(answer), StringComparison.Ordinal));
        Assert.Equal(20, server.Inferences.Count);
    }

    [Fact]
    public async Task Nested_values_are_read_as_flat_ones()
    {
        var model = ServedModel.Classifier(_byLength) with
        {
            Infer = (_, batch) => Task.FromResult<(string, long[], object)>(("FP32", [batch, 3], Enumerable.Repeat(_positive, (int)batch))),
        };
        await using var server = await InferenceServer.StartAsync(model);
        await using var engine = await TritonEngines.LoadAsync(server, classifies: true);
        Assert.Equal(["""Result {"sentiment":"Positive","confidence":1}"""], await engine.Analyze("x").ReadAsync());
    }

    [Fact]
    public async Task A_text_that_the_model_refuses_does_not_fail_its_batch()
    {
        await using var server = await InferenceServer.StartAsync(ServedModel.Classifier(
            text => text == "too long" ? throw new RefusedException(400, "TEXT is too long") : [0, 0, 1]));
        await using var engine = await TritonEngines.LoadAsync(server,
            batching: new BatchingOptions { MaxDelay = TimeSpan.FromSeconds(10), MaxBatchSize = 3 }, classifies: true);
        var good = engine.Analyze("a").ReadAsync();
        var bad = engine.Analyze("too long").FailureAsync();
        var other = engine.Analyze("b").ReadAsync();
        Assert.Equal((await good.WaitAsync(_limit)).Single(), (await other.WaitAsync(_limit)).Single());
        var error = await bad.WaitAsync(_limit);
        Assert.Equal(400, error.Status);
        Assert.Contains("refused the request", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(401, 502, null, "API key")]
    [InlineData(404, 502, null, "404")]
    [InlineData(429, 429, 9, "limit")]
    [InlineData(500, 502, null, "500")]
    [InlineData(503, 503, 9, "503")]
    [InlineData(302, 502, null, "302")]
    public async Task A_status_gets_its_meaning(int status, int expected, int? retryAfter, string says)
    {
        await using var server = await InferenceServer.StartAsync(ServedModel.Classifier(_byLength));
        await using var engine = await TritonEngines.LoadAsync(server, classifies: true);
        server.Misbehave = async context =>
        {
            context.Response.StatusCode = status;
            context.Response.Headers.RetryAfter = "9";
            await context.Response.WriteAsync("""{"error":"Busy."}""");
        };
        var error = await engine.Analyze("x").FailureAsync();
        Assert.Equal((expected, retryAfter), (error.Status, error.RetryAfterSeconds));
        Assert.Contains(says, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("Busy", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("<html>")]
    [InlineData("{}")]
    [InlineData("""{"outputs":[{"name":"OTHER","shape":[1,3],"data":[0,0,1]}]}""")]
    [InlineData("""{"outputs":[{"name":"SCORES","shape":[1,3],"data":["a","b","c"]}]}""")]
    [InlineData("""{"outputs":[{"name":"SCORES","shape":[1,3],"data":[1]}]}""")]
    [InlineData("""{"outputs":[{"name":"SCORES","shape":[1,2],"data":[0,1]}]}""")]
    [InlineData("""{"outputs":[{"name":"SCORES","shape":[1,3],"data":[5,5,5]}]}""")]
    public async Task Garbage_is_the_engines_failure(string answer)
    {
        await using var server = await InferenceServer.StartAsync(ServedModel.Classifier(_byLength));
        await using var engine = await TritonEngines.LoadAsync(server, classifies: true);
        server.Misbehave = context => context.Response.WriteAsync(answer);
        Assert.Equal((502, "engine_error"), await StatusAsync(engine.Analyze("x").FailureAsync()));
    }

    [Fact]
    public async Task An_answer_that_does_not_end_is_the_engines_failure_and_the_server_is_left()
    {
        await using var server = await InferenceServer.StartAsync(ServedModel.Classifier(_byLength));
        await using var engine = await TritonEngines.LoadAsync(server, classifies: true);
        var left = new TaskCompletionSource();
        server.Misbehave = context => UpstreamServer.RepeatAsync(context, new string(' ', 64 * 1024), left);
        Assert.Equal((502, "engine_error"), await StatusAsync(engine.Analyze("x").FailureAsync()));
        await left.Task.WaitAsync(_limit);
    }

    [Fact]
    public async Task A_server_that_breaks_off_hangs_or_is_gone_fails_its_requests_and_no_later_ones()
    {
        await using var server = await InferenceServer.StartAsync(ServedModel.Classifier(_byLength));
        await using var engine = await TritonEngines.LoadAsync(server, options => options.BatchTimeout = TimeSpan.FromMilliseconds(500),
            classifies: true);
        server.Misbehave = context =>
        {
            context.Response.ContentLength = 100;
            return context.Response.WriteAsync("{");
        };
        Assert.Equal((502, "engine_error"), await StatusAsync(engine.Analyze("x").FailureAsync()));
        server.Misbehave = context =>
            Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, context.RequestAborted).ContinueWith(_ => { }, TaskScheduler.Default);
        Assert.Equal((503, "unavailable"), await StatusAsync(engine.Analyze("x").FailureAsync()));
        server.Misbehave = null;
        Assert.Single(await engine.Analyze("x").ReadAsync().WaitAsync(_limit));
        await server.DisposeAsync();
        Assert.Equal((503, "unavailable"), await StatusAsync(engine.Analyze("x").FailureAsync()));
    }

    [Fact]
    public async Task A_caller_that_leaves_does_not_wait_for_the_server()
    {
        await using var server = await InferenceServer.StartAsync(ServedModel.Classifier(_byLength));
        await using var engine = await TritonEngines.LoadAsync(server, options => options.BatchTimeout = TimeSpan.FromSeconds(1),
            classifies: true);
        var asked = new TaskCompletionSource();
        server.Misbehave = context =>
        {
            asked.TrySetResult();
            return Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, context.RequestAborted)
                .ContinueWith(_ => { }, TaskScheduler.Default);
        };
        using var leave = new CancellationTokenSource();
        var answer = engine.Analyze("x", leave.Token).ReadAsync();
        await asked.Task.WaitAsync(_limit);
        await leave.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => answer.WaitAsync(_limit));
    }

    private static async Task<(int, string?)> StatusAsync(Task<AgentPlatform.Inference.InferenceError> failure)
    {
        var error = await failure;
        return (error.Status, error.Code);
    }
}
