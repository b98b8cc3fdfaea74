using System.Runtime.CompilerServices;
using System.Text;
using AgentPlatform.Inference;
using AgentPlatform.Inference.OpenAI;
using AgentPlatform.Tests.Inference.Chat;
using AgentPlatform.Tests.Inference.OpenAI;
using AgentPlatform.Worker.Engines.Triton;
using Microsoft.AspNetCore.Http;

namespace AgentPlatform.Tests.Worker.Engines.Triton;

public sealed class TritonGeneratorTests
{
    private static readonly TimeSpan _limit = TimeSpan.FromMinutes(1);

    // The inputs and outputs that Triton's vLLM backend gives its models.
    private static readonly ServedModel _vllm = new(
        [
            new("text_input", "BYTES", [1]), new("stream", "BOOL", [1], Optional: true),
            new("sampling_parameters", "BYTES", [1], Optional: true),
            new("exclude_input_in_output", "BOOL", [1], Optional: true), new("return_finish_reason", "BOOL", [1], Optional: true),
            new("return_num_input_tokens", "BOOL", [1], Optional: true), new("return_num_output_tokens", "BOOL", [1], Optional: true),
        ],
        [new(
            "text_output", "BYTES", [-1]), new("finish_reason", "BYTES", [-1]), new("num_input_tokens", "UINT32",
            [1]), new("num_output_tokens", "UINT32", [-1])])
    {
        IsDecoupled = true,
    };

    private static readonly ServedModel _plain = new(
        [
            new("text_input", "BYTES", [-1, 1]), new("max_tokens", "INT32", [-1, 1]), new("temperature", "FP32", [-1, 1], Optional: true),
            new("stop_words", "BYTES", [-1, -1], Optional: true), new("random_seed", "UINT64", [-1, 1], Optional: true),
        ],
        [new("text_output", "BYTES", [-1, 1])])
    {
        MaxBatchSize = 4,
        Infer = (inputs, batch) => Task.FromResult<(string, long[], object)>(
            ("BYTES", [batch, 1], new[] { $"You said: {inputs["text_input"].Single()}" })),
    };

    [Fact]
    public async Task A_model_that_is_not_decoupled_answers_at_once_streamed_or_not()
    {
        await using var server = await InferenceServer.StartAsync(_plain);
        await using var engine = await TritonEngines.LoadAsync(server);
        await engine.WarmUpAsync(CancellationToken.None);
        Assert.Equal(
            ["""Result {"choices":[{"index":0,"message":{"role":"assistant","content":"You said: Hi"},"finish_reason":"stop"}]}"""],
            await engine.Chat().ReadAsync());
        Assert.Equal(
            [
                """Delta {"choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]}""",
                """Delta {"choices":[{"index":0,"delta":{"content":"You said: Hi"},"finish_reason":null}]}""",
                """Delta {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}""",
                "End ",
            ], await engine.Chat(stream: true).ReadAsync());
    }

    [Fact]
    public async Task Parameters_become_the_inputs_of_their_names()
    {
        await using var server = await InferenceServer.StartAsync(_plain);
        await using var engine = await TritonEngines.LoadAsync(server);
        await engine.Chat(
            ""","temperature":0.5,"max_completion_tokens":7,"stop":["a","b"],"seed":3,"top_p":1,"n":1,"user":"u","response_format":"""
                + """{"type":"text"}""").ReadAsync();
        Assert.Equal(
            ["max_tokens 7", "random_seed 3", "stop_words a,b", "temperature 0.5", "text_input Hi"],
            server.Inferences.Last().Select(input => $"{input.Key} {string.Join(',', input.Value.Select(value => value.ToString()))}")
                .Order(StringComparer.Ordinal));
        await engine.Chat().ReadAsync();
        Assert.Equal(512, (int)server.Inferences.Last()["max_tokens"].Single()!);
    }

    [Fact]
    public async Task Of_a_parameter_that_occurs_twice_the_last_value_counts()
    {
        await using var server = await InferenceServer.StartAsync(_plain);
        await using var engine = await TritonEngines.LoadAsync(server);
        await engine.Chat(""","temperature":0.5,"seed":1,"temperature":0.25,"seed":null""").ReadAsync();
        var inputs = server.Inferences.Last();
        Assert.Equal(0.25, (double)Assert.Single(inputs["temperature"])!);
        Assert.DoesNotContain("random_seed", inputs.Keys);
    }

    [Fact]
    public async Task An_answer_that_does_not_end_is_a_failure_and_the_server_is_left()
    {
        await using var server = await InferenceServer.StartAsync(_vllm);
        await using var engine = await TritonEngines.LoadAsync(server);
        var left = new TaskCompletionSource();
        var piece = $$"""data: {"text_output":"{{new string('x', 64 * 1024)}}"}""";
        server.Misbehave = context => UpstreamServer.RepeatAsync(context, $"{piece}\n\n", left);
        Assert.Equal((502, "engine_error"), await engine.Chat().FailureAsync() is var error ? (error.Status, error.Code) : default);
        await left.Task.WaitAsync(_limit);
    }

    [Theory]
    [MemberData(nameof(NeutralFieldsTests.Neutral), MemberType = typeof(NeutralFieldsTests))]
    public async Task A_parameter_that_asks_for_nothing_passes(string field)
    {
        await using var server = await InferenceServer.StartAsync(_plain);
        await using var engine = await TritonEngines.LoadAsync(server);
        Assert.StartsWith("Result", Assert.Single(await engine.Chat($",{field}").ReadAsync()), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(""","top_p":0.5""", "top_p")]
    [InlineData(""","n":2""", "n")]
    [InlineData(""","logprobs":true""", "logprobs")]
    [InlineData(""","tools":[{"type":"function","function":{"name":"f"}}]""", "tools")]
    [InlineData(""","response_format":{"type":"json_object"}""", "response_format")]
    [InlineData(""","temperature":"hot" """, "temperature")]
    public async Task A_parameter_that_the_model_cannot_honour_is_refused_by_its_name(string more, string named)
    {
        await using var server = await InferenceServer.StartAsync(_plain);
        await using var engine = await TritonEngines.LoadAsync(server);
        var error = await engine.Chat(more).FailureAsync();
        Assert.Equal((400, named), (error.Status, error.Param));
        Assert.Empty(server.Inferences);
    }

    [Fact]
    public async Task A_decoupled_model_streams_its_pieces_with_finish_reason_and_usage()
    {
        await using var server = await InferenceServer.StartAsync(
            _vllm with { Generate = (_, _) => Pieces(("Hü", null, 2), ("", null, 0), (" 😀", "length", 1)) });
        await using var engine = await TritonEngines.LoadAsync(server);
        Assert.Equal(
            [
                """Delta {"choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]}""",
                """Delta {"choices":[{"index":0,"delta":{"content":"Hü"},"finish_reason":null}]}""",
                """Delta {"choices":[{"index":0,"delta":{"content":" \uD83D\uDE00"},"finish_reason":null}]}""",
                """Delta {"choices":[{"index":0,"delta":{},"finish_reason":"length"}]}""",
                """End {"prompt_tokens":5,"completion_tokens":3,"total_tokens":8}""",
            ], await engine.Chat(""","temperature":0,"max_tokens":3,"stop":"x","seed":1""", stream: true).ReadAsync());
        var inputs = server.Inferences.Last();
        Assert.Equal("""{"temperature":0,"max_tokens":3,"stop":"x","seed":1}""", (string)inputs["sampling_parameters"].Single()!);
        Assert.All(["stream", "exclude_input_in_output", "return_finish_reason"], flag => Assert.True((bool)inputs[flag].Single()!));
        Assert.Equal(
            [
                """Result {"choices":[{"index":0,"message":{"role":"assistant","content":"Hü \uD83D\uDE00"},"finish_reason":"length"}]"""
                    + ""","usage":{"prompt_tokens":5,"completion_tokens":3,"total_tokens":8}}""",
            ],
            await engine.Chat().ReadAsync());
        Assert.False((bool)server.Inferences.Last()["stream"].Single()!);
        Assert.Equal("""{"max_tokens":512}""", (string)server.Inferences.Last()["sampling_parameters"].Single()!);
    }

    [Theory]
    [InlineData("""data: {"error":"Out of memory."}""", "The model's server failed.")]
    [InlineData("data: nonsense", "text_output")]
    [InlineData("""data: {"other":"x"}""", "text_output")]
    public async Task An_error_or_nonsense_inside_a_stream_is_its_failure(string @event, string says)
    {
        await using var server = await InferenceServer.StartAsync(_vllm);
        await using var engine = await TritonEngines.LoadAsync(server);
        server.Misbehave = async context =>
        {
            context.Response.ContentType = "text/event-stream; charset=utf-8";
            await context.Response.WriteAsync($"data: {{\"text_output\":\"Hi\"}}\n\n{@event}\n\n");
        };
        await FailsAfterFirstAsync(engine, says);
    }

    [Fact]
    public async Task A_stream_that_is_reset_or_empty_or_none_is_a_failure()
    {
        await using var server = await InferenceServer.StartAsync(_vllm);
        await using var engine = await TritonEngines.LoadAsync(server);
        server.Misbehave = context =>
        {
            (context.Response.ContentType, context.Response.ContentLength) = ("text/event-stream", 100);
            return context.Response.WriteAsync("data: {\"text_output\":\"Hi\"}\n\n");
        };
        await FailsAfterFirstAsync(engine, "broke");
        server.Misbehave = context =>
        {
            context.Response.ContentType = "text/event-stream";
            return Task.CompletedTask;
        };
        Assert.Equal(502, (await engine.Chat().FailureAsync()).Status);
        server.Misbehave = context => context.Response.WriteAsJsonAsync(new { text_output = "Hi" });
        Assert.Contains("application/json", (await engine.Chat().FailureAsync()).Message, StringComparison.Ordinal);
        await server.DisposeAsync();
        Assert.Equal((503, 2), ((await engine.Chat().FailureAsync()) is var error ? error.Status : 0, error.RetryAfterSeconds));
    }

    [Fact]
    public async Task A_cancelled_stream_frees_the_servers_slot()
    {
        await using var server = await InferenceServer.StartAsync(
            _vllm with { Generate = (_, context) => ForeverAsync(context.RequestAborted) });
        await using var engine = await TritonEngines.LoadAsync(server);
        using var cancel = new CancellationTokenSource();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            await foreach (var part in engine.Chat(stream: true, cancellationToken: cancel.Token))
            {
                await cancel.CancelAsync();
            }
        });
        await server.ClientLeft.Task.WaitAsync(_limit);
    }

    [Theory]
    [InlineData("Plain", "Be kind.\nUser: Hi\nAssistant: Hello\nUser: How are you?\nAssistant:")]
    [InlineData(
        "ChatML",
        "<|im_start|>system\nBe kind.<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\nHello<|im_end|>\n"
            + "<|im_start|>user\nHow are you?<|im_end|>\n<|im_start|>assistant\n")]
    [InlineData(
        "Messages",
        """[{"role":"system","content":"Be kind."},{"role":"user","content":"Hi"},{"role":"assistant","content":"Hello"},"""
            + """{"role":"user","content":[{"type":"text","text":"How are"},{"type":"text","text":" you?"}]}]""")]
    public async Task Messages_become_one_text(string format, string expected)
    {
        await using var server = await InferenceServer.StartAsync(_plain);
        await using var engine = await TritonEngines.LoadAsync(server, options => options.Prompt = Enum.Parse<TritonPromptFormat>(format));
        await engine.RunAsync(
            Requests.Create(
                body: """{"messages":[{"role":"system","content":"Be kind."},{"role":"user","content":"Hi"},"""
                    + """{"role":"assistant","content":"Hello"},{"role":"user","content":[{"type":"text","text":"How are"},"""
                        + """{"type":"text","text":" you?"}]}]}"""),
            CancellationToken.None).ReadAsync();
        Assert.Equal(expected, (string)server.Inferences.Last()["text_input"].Single()!);
    }

    [Fact]
    public async Task An_image_is_refused_naming_where_it_is()
    {
        await using var server = await InferenceServer.StartAsync(_plain);
        await using var engine = await TritonEngines.LoadAsync(server);
        var error = await engine.RunAsync(
            Requests.Create(body: """{"messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"http://x"}}]}]}"""),
            CancellationToken.None).FailureAsync();
        Assert.Equal((400, "messages[0].content[0]"), (error.Status, error.Param));
    }

    [Fact]
    public async Task A_worker_process_classifies_and_another_chats()
    {
        await using var texts = await InferenceServer.StartAsync(ServedModel.Classifier(_ => [0.7f, 0.2f, 0.1f]));
        await using var chats = await InferenceServer.StartAsync(_vllm with { Generate = (_, _) => Pieces(("Hello", "stop", 1)) });
        await using var classifier = ServiceProcess.Worker(
            "Engine:Type=triton", "Model:Name=sentiment", $"Triton:Endpoint={texts.Address}", "Triton:ModelName=m",
            "Triton:Labels:0=Negative", "Triton:Labels:1=Neutral", "Triton:Labels:2=Positive");
        await using var generator = ServiceProcess.Worker(
            "Engine:Type=triton", "Model:Name=m", $"Triton:Endpoint={chats.Address}", "Triton:Prompt=ChatML");
        using var http = new HttpClient();
        using var analyze = await http.PostAsync(
            new Uri(await classifier.ReadyAsync(), "/analyze"),
            new StringContent("""{"text":"Awful."}""", Encoding.UTF8, "application/json"));
        Assert.Equal("""{"sentiment":"Negative","confidence":0.7}""", await analyze.Content.ReadAsStringAsync());
        using var chat = await http.PostAsync(
            new Uri(await generator.ReadyAsync(), "/v1/chat/completions"),
            new StringContent(
                """{"model":"m","messages":[{"role":"user","content":"Hi"}],"stream":true}""", Encoding.UTF8, "application/json"));
        var stream = await chat.Content.ReadAsStringAsync();
        Assert.Contains("\"content\":\"Hello\"", stream, StringComparison.Ordinal);
        Assert.EndsWith("data: [DONE]\n\n", stream, StringComparison.Ordinal);
    }

    private static async Task FailsAfterFirstAsync(TritonEngine engine, string says)
    {
        await using var parts = engine.Chat(stream: true).GetAsyncEnumerator();
        Assert.True(await parts.MoveNextAsync().AsTask().WaitAsync(_limit));
        Assert.True(await parts.MoveNextAsync().AsTask().WaitAsync(_limit)); // The role, and the text that it came with.
        var failure = await Assert.ThrowsAsync<InferenceException>(() => parts.MoveNextAsync().AsTask().WaitAsync(_limit));
        Assert.Equal(502, failure.Error.Status);
        Assert.Contains(says, failure.Message, StringComparison.Ordinal);
    }

    private static async IAsyncEnumerable<object> Pieces(params (string Text, string? FinishReason, int Tokens)[] pieces)
    {
        foreach (var (text, reason, tokens) in pieces)
        {
            await Task.Yield();
            yield return new
            {
                model_name = "m",
                model_version = "1",
                text_output = text,
                finish_reason = reason ?? "None",
                num_input_tokens = 5,
                num_output_tokens = tokens,
            };
        }
    }

    private static async IAsyncEnumerable<object> ForeverAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        yield return new { text_output = "Hi" };
        await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken);
    }
}
