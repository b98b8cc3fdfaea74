using System.Text.Json;
using AgentPlatform.Client.Chat;
using AgentPlatform.Inference;
using AgentPlatform.Inference.OpenAI;
using AgentPlatform.Worker.Engines.Running;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.AI;

namespace AgentPlatform.Tests.Worker.Engines.Agent;

public sealed class AgentEngineTests
{
    private const string Weather = "TestPlugin_weather";

    private static readonly TimeSpan _limit = TimeSpan.FromMinutes(1);

    [Fact]
    public async Task The_model_s_tool_is_run_and_its_result_becomes_the_answer()
    {
        await using var model = await ScriptedModel.StartAsync(
            ScriptedModel.Calls(("c1", Weather, """{"cities":["Rome","Oslo"]}""")), ScriptedModel.Says("It is ", "sunny."));
        await using var worker = await AgentWorker.StartAsync(model);

        var answer = await AskAsync(worker,
            more: ""","temperature":0.5,"seed":7,"logit_bias":{"5":1},"response_format":{"type":"json_object"}""");

        Assert.Equal(("It is sunny.", "stop"), Summary(answer));
        Assert.Equal([30, 7, 37], UsageOf(answer));
        var tool = Assert.Single(answer.GetProperty("agentplatform").GetProperty("tools").EnumerateArray());
        Assert.Equal(("c1", Weather, "succeeded"),
            (tool.GetProperty("id").GetString(), tool.GetProperty("name").GetString(), tool.GetProperty("status").GetString()));

        var (first, second) = (model.Requests[0], model.Requests[1]);
        Assert.Equal("llm", first.GetProperty("model").GetString());
        Assert.Equal(["system: Be brief.", "user: Weather?"], first.GetProperty("messages").EnumerateArray().Select(Line));
        Assert.Equal((0.5, 7, 1),
            (first.GetProperty("temperature").GetDouble(), first.GetProperty("seed").GetInt32(),
                first.GetProperty("logit_bias").GetProperty("5").GetInt32()));
        Assert.Equal("json_object", first.GetProperty("response_format").GetProperty("type").GetString());
        Assert.Contains(Weather,
            first.GetProperty("tools").EnumerateArray().Select(item => item.GetProperty("function").GetProperty("name").GetString()));
        var messages = second.GetProperty("messages");
        using var arguments = JsonDocument.Parse(messages[2].GetProperty("tool_calls")[0].GetProperty("function").GetProperty("arguments")
            .GetString()!);
        Assert.Equal("Oslo", arguments.RootElement.GetProperty("cities")[1].GetString());
        Assert.Equal(("tool: sunny in Rome and Oslo", "c1"), (Line(messages[3]), messages[3].GetProperty("tool_call_id").GetString()));
        Assert.Equal(7, second.GetProperty("seed").GetInt32());
    }

    [Fact]
    public async Task A_stream_has_text_and_tools_in_their_order_and_ends_with_all_tokens()
    {
        await using var model = await ScriptedModel.StartAsync(ScriptedModel.Calls(("c1", Weather, """{"cities":["Rome"]}""")),
            ScriptedModel.Says("It is ", "sunny."));
        await using var worker = await AgentWorker.StartAsync(model);

        var parts = await worker.Get<EngineRunner>().RunAsync(Request(stream: true), CancellationToken.None).AnswerAsync()
            .WaitAsync(_limit);

        Assert.Equal(
            [
                """Delta {"choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]}""",
                """Delta {"choices":[{"index":0,"delta":{},"finish_reason":null}],"agentplatform":{"tool":{"id":"c1","name":"TestPlugin_weather","status":"started"}}}""",
                """Delta {"choices":[{"index":0,"delta":{},"finish_reason":null}],"agentplatform":{"tool":{"id":"c1","name":"TestPlugin_weather","status":"succeeded","duration_ms":T}}}""",
                """Delta {"choices":[{"index":0,"delta":{"content":"It is "},"finish_reason":null}]}""",
                """Delta {"choices":[{"index":0,"delta":{"content":"sunny."},"finish_reason":null}]}""",
                """Delta {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}""",
                """End {"prompt_tokens":30,"completion_tokens":7,"total_tokens":37}""",
            ], parts.Select(part => System.Text.RegularExpressions.Regex.Replace(part, "\"duration_ms\":[0-9]+", "\"duration_ms\":T")));
    }

    [Fact]
    public async Task A_client_that_knows_nothing_of_tools_reads_the_stream()
    {
        await using var model = await ScriptedModel.StartAsync(ScriptedModel.Calls(("c1", Weather, """{"cities":["Rome"]}""")),
            ScriptedModel.Says("It is ", "sunny."));
        await using var worker = await AgentWorker.StartAsync(model);
        using var client = worker.Get<DirectInference>().AsChatClient("m", TimeSpan.FromMinutes(1), TimeProvider.System);

        var answer = await client.GetStreamingResponseAsync("Weather?").ToChatResponseAsync();

        Assert.Equal(("It is sunny.", ChatFinishReason.Stop, 37), (answer.Text, answer.FinishReason, answer.Usage!.TotalTokenCount));
    }

    [Fact]
    public async Task Several_calls_of_one_turn_are_answered_in_the_order_of_the_model()
    {
        await using var model = await ScriptedModel.StartAsync(
            ScriptedModel.Calls(("c1", "TestPlugin_double", """{"number":21}"""), ("c2", Weather, """{"cities":["Rome"]}""")),
            ScriptedModel.Says("Done."));
        await using var worker = await AgentWorker.StartAsync(model);

        await AskAsync(worker);

        var messages = model.Requests[1].GetProperty("messages");
        Assert.Equal(2, messages[2].GetProperty("tool_calls").GetArrayLength());
        Assert.Equal(["tool: 42", "tool: sunny in Rome"], messages.EnumerateArray().Skip(3).Select(Line));
    }

    [Theory]
    [InlineData("TestPlugin_fail", "{}", "failed", "Error: The disk is full.")]
    [InlineData("TestPlugin_hang", "{}", "timed_out", "Error: the tool did not answer within 0.2 seconds.")]
    [InlineData("TestPlugin_wait", "{}", "timed_out", "Error: the tool did not answer within 0.2 seconds.")]
    [InlineData("TestPlugin_none", "{}", "failed", "Error: there is no tool 'TestPlugin_none'.")]
    [InlineData("TestPlugin_double", "{\"number\":", "failed", "Error: Missing argument")]
    public async Task A_tool_s_trouble_is_told_to_the_model_and_the_agent_goes_on(string tool, string arguments, string status, string told)
    {
        await using var model = await ScriptedModel.StartAsync(ScriptedModel.Calls(("c1", tool, arguments)), ScriptedModel.Says("Sorry."));
        await using var worker = await AgentWorker.StartAsync(model, ("Agent:ToolTimeout", "00:00:00.2"));

        var answer = await AskAsync(worker);

        Assert.Equal(("Sorry.", "stop"), Summary(answer));
        Assert.Equal(status, answer.GetProperty("agentplatform").GetProperty("tools")[0].GetProperty("status").GetString());
        Assert.StartsWith($"tool: {told}", Line(model.Requests[1].GetProperty("messages")[3]), StringComparison.Ordinal);
    }

    [Fact]
    public async Task After_its_rounds_the_model_must_answer_without_tools()
    {
        await using var model = await ScriptedModel.StartAsync(Call, Call, ScriptedModel.Says("Enough."));
        await using var worker = await AgentWorker.StartAsync(model, ("Agent:MaxRounds", "2"));

        Assert.Equal(("Enough.", "stop"), Summary(await AskAsync(worker)));
        Assert.Equal(["auto", "auto", "none"], model.Requests.Select(request => request.GetProperty("tool_choice").GetString()!));
    }

    [Fact]
    public async Task A_model_that_asks_for_tools_nevertheless_has_reached_the_limit()
    {
        await using var model = await ScriptedModel.StartAsync(Call);
        await using var worker = await AgentWorker.StartAsync(model, ("Agent:MaxRounds", "2"));

        var answer = await AskAsync(worker);

        Assert.Equal(("", "length"), Summary(answer));
        Assert.Equal("rounds", answer.GetProperty("agentplatform").GetProperty("limit").GetString());
        Assert.Equal(3, model.Requests.Count);
    }

    [Fact]
    public async Task A_model_that_asks_for_too_many_tools_at_once_has_reached_the_limit()
    {
        await using var model =
            await ScriptedModel.StartAsync(
                ScriptedModel.Calls([.. Enumerable.Range(0, 3).Select(call => ($"c{call}", "TestPlugin_double", "{\"number\":1}"))]));
        await using var worker = await AgentWorker.StartAsync(model, ("Agent:MaxToolCalls", "2"));

        var answer = await AskAsync(worker);

        Assert.Equal(("", "length"), Summary(answer));
        Assert.Equal("tool_calls", answer.GetProperty("agentplatform").GetProperty("limit").GetString());
        Assert.Single(model.Requests);
    }

    [Fact]
    public async Task Of_a_result_that_is_too_long_the_model_is_told_only_that()
    {
        var cities = string.Join(',', Enumerable.Repeat("\"Bern\"", 500));
        await using var model =
            await ScriptedModel.StartAsync(ScriptedModel.Calls(("c1", "TestPlugin_weather", $$"""{"cities":[{{cities}}]}""")),
                ScriptedModel.Says("Sorry."));
        await using var worker = await AgentWorker.StartAsync(model, ("Agent:MaxToolResult", "1000"));

        await AskAsync(worker);

        Assert.StartsWith("tool: Error: the tool's result has ", Line(model.Requests[1].GetProperty("messages")[3]),
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task No_round_begins_once_the_tokens_are_used_up()
    {
        await using var model = await ScriptedModel.StartAsync(Call);
        await using var worker = await AgentWorker.StartAsync(model, ("Agent:MaxTokens", "40"));

        var answer = await AskAsync(worker);

        Assert.Equal("tokens", answer.GetProperty("agentplatform").GetProperty("limit").GetString());
        Assert.Equal([40, 10, 50], UsageOf(answer));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task When_its_time_is_over_the_answer_ends_with_what_there_is(bool inTool)
    {
        var (began, left) = (new TaskCompletionSource(), new TaskCompletionSource());
        TestPlugin.Prepare();
        await using var model = await ScriptedModel.StartAsync(inTool
            ? ScriptedModel.Calls(("c1", "TestPlugin_wait", "{}"))
            : ScriptedModel.Hangs(began, left));
        await using var worker = await AgentWorker.StartAsync(model, ("Agent:MaxTime", "00:00:01"));

        var answer = await AskAsync(worker);

        Assert.Equal((inTool ? "" : "Well", "length"), Summary(answer));
        Assert.Equal("time", answer.GetProperty("agentplatform").GetProperty("limit").GetString());
        await (inTool ? TestPlugin.Cancelled : left).Task.WaitAsync(_limit);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_client_that_leaves_ends_the_model_s_call_and_the_tools(bool inTool)
    {
        var (began, left) = (new TaskCompletionSource(), new TaskCompletionSource());
        TestPlugin.Prepare();
        await using var model = await ScriptedModel.StartAsync(inTool
            ? ScriptedModel.Calls(("c1", "TestPlugin_wait", "{}"))
            : ScriptedModel.Hangs(began, left));
        await using var worker = await AgentWorker.StartAsync(model);
        using var leave = new CancellationTokenSource();
        await using var parts = worker.Get<EngineRunner>().RunAsync(Request(stream: true), leave.Token).GetAsyncEnumerator();
        do
        {
            Assert.True(await parts.MoveNextAsync().AsTask().WaitAsync(_limit));
        }
        while (parts.Current.Kind == ReplyKind.Started);

        Assert.True(await parts.MoveNextAsync().AsTask().WaitAsync(_limit)); // The role is given; this is what it came with.

        var next = parts.MoveNextAsync().AsTask();
        await (inTool ? TestPlugin.Began : began).Task.WaitAsync(_limit);
        await leave.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => next.WaitAsync(_limit));
        await (inTool ? TestPlugin.Cancelled : left).Task.WaitAsync(_limit);
        Assert.Equal(0, worker.Get<EngineSlots>().Active);
    }

    [Fact]
    public async Task The_model_s_failure_is_the_agent_s()
    {
        await using var model = await ScriptedModel.StartAsync((context, _) =>
        {
            context.Response.StatusCode = StatusCodes.Status429TooManyRequests;
            context.Response.Headers.RetryAfter = "7";
            return context.Response.WriteAsync("""{"error":{"message":"Slow down."}}""");
        });
        await using var worker = await AgentWorker.StartAsync(model);

        var error = await worker.Get<EngineRunner>().RunAsync(Request(stream: false), CancellationToken.None).FailureAsync();

        Assert.Equal((429, 7), (error.Status, error.RetryAfterSeconds));
        Assert.Single(model.Requests);
    }

    [Theory]
    [InlineData(""","tools":[],"tool_choice":"auto","parallel_tool_calls":true""")]
    [InlineData(""","tools":[{"type":"function","function":{"name":"f"}}],"tool_choice":"none","parallel_tool_calls":false""")]
    [InlineData(""","functions":[{"name":"f"}],"function_call":"none","n":1,"logprobs":false,"top_logprobs":0""")]
    public async Task What_asks_for_nothing_passes(string more)
    {
        await using var model = await ScriptedModel.StartAsync(ScriptedModel.Says("Sunny."));
        await using var worker = await AgentWorker.StartAsync(model);
        Assert.Equal(("Sunny.", "stop"), Summary(await AskAsync(worker, more)));
    }

    [Theory]
    [InlineData(""","tools":[{"type":"function","function":{"name":"f"}}]""", "tools")]
    [InlineData(""","tools":[{"type":"function","function":{"name":"f"}}],"tool_choice":null""", "tools")]
    [InlineData(""","tool_choice":"required" """, "tool_choice")]
    [InlineData(""","n":2""", "n")]
    [InlineData(""","logprobs":true""", "logprobs")]
    public async Task What_an_agent_cannot_do_is_refused_by_name(string more, string field)
    {
        await using var model = await ScriptedModel.StartAsync();
        await using var worker = await AgentWorker.StartAsync(model);

        var error = await worker.Get<EngineRunner>().RunAsync(Request(stream: false, more), CancellationToken.None).FailureAsync();

        Assert.Equal((400, field), (error.Status, error.Param));
    }

    private static Func<HttpContext, string, Task> Call => ScriptedModel.Calls(("c1", Weather, """{"cities":["Rome"]}"""));

    private static InferenceRequest Request(bool stream, string more = "") =>
        Requests.Create(stream: stream, body: $$"""{"model":"m","messages":[{"role":"user","content":"Weather?"}]{{more}}}""");

    private static async Task<JsonElement> AskAsync(ServiceHost worker, string more = "")
    {
        var part = Assert.Single(await worker.Get<EngineRunner>().RunAsync(Request(stream: false, more), CancellationToken.None)
            .AnswerAsync().WaitAsync(_limit));
        return JsonDocument.Parse(part["Result ".Length..]).RootElement;
    }

    private static (string Text, string Reason) Summary(JsonElement answer)
    {
        var choice = answer.GetProperty("choices")[0];
        return (choice.GetProperty("message").GetProperty("content").GetString()!, choice.GetProperty("finish_reason").GetString()!);
    }

    private static int[] UsageOf(JsonElement answer) =>
        [.. answer.GetProperty("usage").EnumerateObject().Select(member => member.Value.GetInt32())];

    private static string Line(JsonElement message) =>
        $"{message.GetProperty("role").GetString()}: {message.GetProperty("content").GetString()}";
}
