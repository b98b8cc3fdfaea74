using System.Text.Json;
using AgentPlatform.Inference;
using AgentPlatform.Inference.OpenAI;
using AgentPlatform.Tests.Inference.OpenAI;
using AgentPlatform.Worker.Engines.Agent.Tools;
using AgentPlatform.Worker.Engines.Running;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.SemanticKernel;

namespace AgentPlatform.Tests.Worker.Engines.Agent;

/// <summary>What clients, models and tools may send to an agent.</summary>
public sealed class AgentLimitsTests
{
    private static readonly TimeSpan _limit = TimeSpan.FromMinutes(1);

    [Fact]
    public async Task Arguments_and_results_of_tools_may_be_nested_as_deep_as_requests()
    {
        var kernel = new Kernel();
        kernel.Plugins.AddFromType<TestPlugin>("TestPlugin");
        var tools = new ToolRunner(kernel, _limit, maxResult: 100_000, TimeProvider.System, NullLogger.Instance);
        var call = new ToolCall("c1", "TestPlugin_echo", $$"""{"value":{{Nested(120)}}}""");
        var outcome = await tools.RunAsync(call, CancellationToken.None);
        Assert.Equal(ToolStatus.Succeeded, outcome.Status);
        Assert.Equal(Nested(120), string.Concat(outcome.Result.Where(character => !char.IsWhiteSpace(character))));
    }

    // The library between the model and the agent reads arguments up to a depth of 64, and gives none then.
    [Fact]
    public async Task A_model_whose_arguments_are_nested_too_deep_is_told_that_they_are_missing_and_the_agent_goes_on()
    {
        await using var model = await ScriptedModel.StartAsync(
            ScriptedModel.Calls(("c1", "TestPlugin_echo", $$"""{"value":{{Nested(120)}}}""")), ScriptedModel.Says("Done."));
        await using var worker = await AgentWorker.StartAsync(model);

        var answer = await RunAsync(worker, "").AnswerAsync().WaitAsync(_limit);

        Assert.Contains("Done.", Assert.Single(answer), StringComparison.Ordinal);
        var told = model.Requests[1].GetProperty("messages")[3].GetProperty("content").GetString();
        Assert.StartsWith("Error: Missing argument", told, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Of_a_member_that_occurs_twice_the_last_value_counts()
    {
        await using var model = await ScriptedModel.StartAsync(ScriptedModel.Says("Sunny."));
        await using var worker = await AgentWorker.StartAsync(model);
        const string Twice = ""","temperature":1,"temperature":0.5,"seed":7,"seed":null,"messages":[{"role":"user","content":"Second?"}]""";

        await RunAsync(worker, Twice).AnswerAsync().WaitAsync(_limit);

        var request = model.Requests[0];
        var texts = request.GetProperty("messages").EnumerateArray().Select(message => message.GetProperty("content").GetString());
        Assert.Equal(["Be brief.", "Second?"], texts);
        Assert.Equal(0.5, request.GetProperty("temperature").GetDouble());
        Assert.False(request.TryGetProperty("seed", out _));
    }

    [Fact]
    public async Task A_model_whose_answer_does_not_end_fails_and_is_left()
    {
        var left = new TaskCompletionSource();
        var delta = JsonSerializer.Serialize(new { content = new string('x', 64 * 1024) });
        var choice = $$"""{"index":0,"delta":{{delta}},"finish_reason":null}""";
        var chunk = $$"""{"id":"x","object":"chat.completion.chunk","created":1,"model":"m","choices":[{{choice}}]}""";
        await using var model = await ScriptedModel.StartAsync((context, _) =>
        {
            context.Response.ContentType = "text/event-stream";
            return UpstreamServer.RepeatAsync(context, $"data: {chunk}\n\n", left);
        });
        await using var worker = await AgentWorker.StartAsync(model);

        Assert.Equal(502, (await RunAsync(worker, "").FailureAsync()).Status);
        await left.Task.WaitAsync(_limit);
    }

    private static string Nested(int depth) => $"{new string('[', depth)}{new string(']', depth)}";

    private static IAsyncEnumerable<ReplyPart> RunAsync(ServiceHost worker, string more) => worker.Get<EngineRunner>().RunAsync(
        Requests.Create(body: $$"""{"model":"m","messages":[{"role":"user","content":"Weather?"}]{{more}}}"""), CancellationToken.None);
}
