using Microsoft.AspNetCore.Http;

namespace AgentPlatform.Tests.Worker.Engines.Triton;

public sealed class TritonLoadTests
{
    private static readonly TimeSpan _limit = TimeSpan.FromMinutes(1);

    [Fact]
    public async Task The_engine_waits_for_a_server_that_is_away_or_still_loads_its_model()
    {
        var time = new PauseTime();
        await using var server = await InferenceServer.StartAsync(ServedModel.Classifier(_ => [0, 0, 1]));
        server.IsReady = false;
        await using var engine = TritonEngines.Create(server.Address, time: time, classifies: true);
        var load = engine.LoadAsync(CancellationToken.None);
        await time.PassPauseAsync(() => server.Misbehave = context =>
        {
            context.Abort();
            return Task.CompletedTask;
        });
        await time.PassPauseAsync(() => (server.Misbehave, server.IsReady) = (null, true));
        await load.WaitAsync(_limit);
    }

    [Fact]
    public async Task A_worker_that_stops_does_not_wait_for_the_server()
    {
        await using var engine = TritonEngines.Create(new Uri("http://127.0.0.1:9"), classifies: true);
        using var stop = new CancellationTokenSource();
        var load = engine.LoadAsync(stop.Token);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => load.WaitAsync(_limit));
    }

    [Theory]
    [InlineData(null, "/v2/models/m/infer")]
    [InlineData("3", "/v2/models/m/versions/3/infer")]
    public async Task A_version_is_asked_for_if_one_is_configured(string? version, string path)
    {
        await using var server = await InferenceServer.StartAsync(ServedModel.Classifier(_ => [0, 0, 1]) with { Version = "3" });
        await using var engine = await TritonEngines.LoadAsync(
            server, options => (options.ModelName, options.ModelVersion) = ("m", version), classifies: true);
        await engine.WarmUpAsync(CancellationToken.None);
        Assert.Equal(path, server.Paths.Last());
    }

    [Fact]
    public async Task A_key_is_sent_and_a_refused_one_is_a_mistake_that_waiting_does_not_mend()
    {
        string? key = null;
        await using var server = await InferenceServer.StartAsync(ServedModel.Classifier(_ => [0, 0, 1]));
        server.Misbehave = context =>
        {
            key = context.Request.Headers.Authorization;
            context.Response.StatusCode = 401;
            return Task.CompletedTask;
        };
        await using var engine = TritonEngines.Create(server.Address, options => options.ApiKey = "wrong", classifies: true);
        Assert.Contains("Triton:ApiKey", await engine.LoadFailureAsync(), StringComparison.Ordinal);
        Assert.Equal("Bearer wrong", key);
    }

    [Fact]
    public async Task Tensors_are_found_by_type_or_taken_by_name()
    {
        var two = new ServedModel(
            [new(
                "A", "BYTES", [-1, 1]), new("B", "BYTES", [-1, 1], Optional: true), new("C", "FP32", [-1, 1], Optional: true)], [new("S",
                "FP32", [-1, 3]), new("T", "BYTES", [-1, 1])])
        {
            MaxBatchSize = 4,
            Infer = (_, batch) => Task.FromResult<(string, long[], object)>(
                ("FP32", [batch, 3], Enumerable.Repeat(1f / 3, 3 * (int)batch))),
        };
        await using var server = await InferenceServer.StartAsync(two);
        await using (var engine = await TritonEngines.LoadAsync(server, classifies: true))
        {
            await engine.WarmUpAsync(CancellationToken.None);
            Assert.Equal(["A"], server.Inferences.Last().Keys);
        }

        await using var named = TritonEngines.Create(server.Address, options => options.Input = "C", classifies: true);
        Assert.Contains("Triton:Input is 'C'", await named.LoadFailureAsync(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("BYTES A -1 1|BYTES B -1 1", "FP32 S -1 3", "Triton:Input must name")]
    [InlineData("BYTES A -1 1", "FP32 S -1 3|FP32 T -1 3", "Triton:Output must name")]
    [InlineData("FP32 A -1 1", "FP32 S -1 3", "no input of type BYTES")]
    [InlineData("BYTES A -1 1", "INT64 S -1", "no output of type FP32")]
    [InlineData("BYTES A -1 1", "FP32 S -1 2", "Triton:Labels has 3 labels")]
    [InlineData("BYTES A -1 5", "FP32 S -1 3", "several texts")]
    public async Task A_model_that_does_not_classify_texts_is_refused_with_a_sentence_that_says_why(
        string inputs, string outputs, string says)
    {
        await using var server = await InferenceServer.StartAsync(new ServedModel(Tensors(inputs), Tensors(outputs)));
        await using var engine = TritonEngines.Create(server.Address, classifies: true);
        Assert.Contains(says, await engine.LoadFailureAsync(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("BYTES A 1", "FP32 S 3", "Triton:Labels must name its labels")]
    [InlineData("BYTES A 1", "BYTES S 1|BYTES T 1", "Triton:Output must name")]
    public async Task A_model_that_generates_no_text_is_refused_with_a_sentence_that_says_why(string inputs, string outputs, string says)
    {
        await using var server = await InferenceServer.StartAsync(new ServedModel(Tensors(inputs), Tensors(outputs)));
        await using var engine = TritonEngines.Create(server.Address);
        Assert.Contains(says, await engine.LoadFailureAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Scores_that_are_no_probabilities_are_found_before_the_first_request()
    {
        await using var server = await InferenceServer.StartAsync(ServedModel.Classifier(_ => [-2, 0, 7]));
        await using var engine = TritonEngines.Create(server.Address, classifies: true);
        Assert.Contains("Triton:Scores", await engine.LoadFailureAsync(warmUp: true), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("<html>")]
    [InlineData("{}")]
    [InlineData("""{"inputs":[{"name":"A"}],"outputs":[{}]}""")]
    public async Task Garbage_for_metadata_is_a_mistake(string metadata)
    {
        await using var server = await InferenceServer.StartAsync(ServedModel.Classifier(_ => [0, 0, 1]));
        server.Misbehave = context => context.Response.WriteAsync(metadata);
        await using var engine = TritonEngines.Create(server.Address, classifies: true);
        Assert.Contains("metadata", await engine.LoadFailureAsync(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Triton:Endpoint")]
    [InlineData("Triton:Endpoint", "Triton:Endpoint=localhost:8000")]
    [InlineData("Triton:Scores", "Triton:Endpoint=http://x", "Triton:Scores=Odds")]
    [InlineData("Triton:BatchTimeout", "Triton:Endpoint=http://x", "Triton:BatchTimeout=0")]
    public async Task A_wrong_setting_ends_the_worker_with_a_sentence_that_names_it(string named, params string[] settings)
    {
        await using var worker = ServiceProcess.Worker(["Engine:Type=triton", "Model:Name=m", .. settings]);
        var (exitCode, errors) = await worker.EndAsync();
        Assert.Equal(1, exitCode);
        Assert.Contains(named, Assert.Single(errors.Split('\n', StringSplitOptions.RemoveEmptyEntries)), StringComparison.Ordinal);
    }

    // "BYTES A -1 1|FP32 B 3"
    private static ServedTensor[] Tensors(string described) =>
        [
            .. described.Split('|').Select(tensor => tensor.Split(' '))
                .Select(
                    words =>
                        new ServedTensor(
                            words[1], words[0],
                            [.. words[2..].Select(word => long.Parse(word, System.Globalization.CultureInfo.InvariantCulture))])),
        ];
}
