using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.Json;
using AgentPlatform.Tests.Inference.OpenAI;
using AgentPlatform.Worker.Engines.Running;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;

namespace AgentPlatform.Tests.Worker.Engines.Agent;

public sealed class AgentToolsTests
{
    private static readonly TimeSpan _limit = TimeSpan.FromMinutes(1);

    [Fact]
    public async Task A_program_that_speaks_the_protocol_gives_its_tools()
    {
        await using var model = await ScriptedModel.StartAsync(ScriptedModel.Calls(("c1", "feed_list_comments", """{"count":2}""")),
            ScriptedModel.Says("Two."));
        await using var worker = await AgentWorker.StartAsync(
            model, ("Agent:McpServers:0:Name", "feed"), ("Agent:McpServers:0:Command", "dotnet"),
            ("Agent:McpServers:0:Args:0", Samples.AssemblyOf("CommentFeed")));

        await AskAsync(worker);

        Assert.Contains("Is there a student price?", ToolResult(model), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_with_an_address_gives_its_tools_under_names_that_models_know()
    {
        await using var server = await McpServerHost.StartAsync();
        await using var model = await ScriptedModel.StartAsync(
            ScriptedModel.Calls(("c1", "http_text_shout", """{"text":"Hi"}"""), ("c2", "http_whisper", """{"text":"Hi"}""")),
            ScriptedModel.Says("Loud."));
        await using var worker = await AgentWorker.StartAsync(
            model, ("Agent:McpServers:0:Name", "http"), ("Agent:McpServers:0:Url", server.Address.AbsoluteUri),
            ("Agent:McpServers:0:ApiKey", "secret"));

        await AskAsync(worker);

        Assert.Equal("Hi!", model.Requests[1].GetProperty("messages")[3].GetProperty("content").GetString());
        Assert.Equal("Error: Cannot whisper Hi.", ToolResult(model));
        Assert.Equal("Bearer secret", server.Authorization);
    }

    [Fact]
    public async Task The_social_media_plugin_asks_the_classifier_for_every_comment_and_counts()
    {
        await using var gateway = await UpstreamServer.StartAsync();
        gateway.Answer = (context, body) => context.Response.WriteAsync(body.Contains("great", StringComparison.Ordinal)
            ? """{"sentiment":"Positive","confidence":0.98765}"""
            : """{"sentiment":"Negative","confidence":0.5}""");
        await using var model = await ScriptedModel.StartAsync(
            ScriptedModel.Calls(("c1", "social_media_analyze_comments", """{"comments":["great","awful","bad \"thing\""]}""")),
            ScriptedModel.Says("One is happy."));
        await using var worker = await AgentWorker.StartAsync(
            model, ("Extensions:0", Samples.AssemblyOf("SocialMedia")), ("Agent:Plugins:1", "social_media"),
            ("Agent:SocialMedia:Name", "sentiment"), ("Agent:SocialMedia:Transport", "http"),
            ("Agent:SocialMedia:Endpoint", gateway.Address.AbsoluteUri));

        await AskAsync(worker);

        using var report = JsonDocument.Parse(ToolResult(model));
        Assert.Equal((1, 2, 0), (Count("positive"), Count("negative"), Count("neutral")));
        Assert.Equal(["great", "awful", "bad \"thing\""],
            report.RootElement.GetProperty("comments").EnumerateArray().Select(comment => comment.GetProperty("text").GetString()!));
        Assert.Equal(["/analyze", "/analyze", "/analyze"], gateway.Requests.Select(request => request.Path));

        int Count(string sentiment) => report.RootElement.GetProperty(sentiment).GetInt32();
    }

    [Fact]
    public async Task Tools_and_the_model_s_calls_are_in_the_trace_below_the_engine()
    {
        var spans = new ConcurrentQueue<Activity>();
        using var source = new ActivitySource("AgentToolsTests");
        using var listener = new ActivityListener
        {
            ShouldListenTo = heard => heard.Name is "Microsoft.SemanticKernel" or "AgentPlatform.Worker" or "AgentToolsTests",
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
            ActivityStopped = spans.Enqueue,
        };
        ActivitySource.AddActivityListener(listener);
        await using var model = await ScriptedModel.StartAsync(
            ScriptedModel.Calls(("c1", "TestPlugin_double", """{"number":21}""")), ScriptedModel.Says("42"));
        await using var worker = await AgentWorker.StartAsync(model);

        using (var root = source.StartActivity("root"))
        {
            await AskAsync(worker);
            root!.Stop();
            var own = spans.Where(span => span.TraceId == root.TraceId).ToList();
            var engine = Assert.Single(own, span => span.OperationName == "chat m");
            var tool = Assert.Single(own, span => Equals(span.GetTagItem("gen_ai.operation.name"), "execute_tool"));
            Assert.Equal(("double", engine.SpanId), (tool.GetTagItem("gen_ai.tool.name"), tool.ParentSpanId));
            Assert.Equal(2,
                own.Count(span => span.ParentSpanId == engine.SpanId && Equals(span.GetTagItem("gen_ai.request.model"), "llm")));
        }
    }

    [Theory]
    [InlineData("Agent:McpServers:0:Name=x", "must have either a Command or an Url")]
    [InlineData("Agent:McpServers:0:Name=a b;Agent:McpServers:0:Url=http://x", "Agent:McpServers:N:Name")]
    [InlineData("Agent:MaxRounds=-1", "MaxRounds")]
    [InlineData("Agent:Model:Transport=queue", "ConnectionStrings:messaging is missing")]
    [InlineData("Agent:Model:Transport=queue;Agent:Model:Name=m;ConnectionStrings:messaging=amqp://x", "the agent would ask itself")]
    [InlineData("Extensions:0=SAMPLE", "Agent:SocialMedia:Name is missing")]
    [InlineData("Extensions:0=/no/such.dll", "Extensions names '/no/such.dll', which cannot be loaded")]
    [InlineData("Extensions:0=AgentPlatform.Worker.deps.json", "AgentPlatform.Worker.deps.json', which cannot be loaded")]
    public async Task A_wrong_setting_is_a_sentence_that_names_the_key(string settings, string says)
    {
        await using var model = await ScriptedModel.StartAsync();
        settings = settings.Replace("SAMPLE", Samples.AssemblyOf("SocialMedia"), StringComparison.Ordinal);
        var mistake = await Assert.ThrowsAsync<OptionsValidationException>(() => AgentWorker.StartAsync(model, [.. Pairs(settings)]));
        Assert.Contains(mistake.Failures, sentence => sentence.Contains(says, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("Agent:Plugins:0=nonsense", "Agent:Plugins names 'nonsense'")]
    [InlineData("Agent:Plugins:0=System.Object, System.Runtime", "cannot be used")]
    [InlineData("Agent:McpServers:0:Name=x;Agent:McpServers:0:Command=no-such-program",
        "The server 'x' of Agent:McpServers cannot be used")]
    [InlineData("Agent:InstructionsFile=no-such-file", "Agent:InstructionsFile cannot be read")]
    public async Task What_cannot_be_loaded_is_a_sentence_and_the_worker_s_end(string settings, string says)
    {
        await using var model = await ScriptedModel.StartAsync();
        await using var worker = ServiceProcess.Worker([
            "Engine:Type=agent", "Model:Name=m", "Agent:Model:Name=llm", "Agent:Model:Transport=openai",
            $"Agent:Model:Endpoint={model.Endpoint}", .. settings.Split(';')]);

        var (code, _) = await worker.EndAsync();

        Assert.Equal(1, code);
        Assert.Contains(says, string.Concat(worker.Output), StringComparison.Ordinal);
    }

    private static IEnumerable<(string Key, string Value)> Pairs(string settings) =>
        settings.Split(';').Select(setting => setting.Split('=')).Select(pair => (pair[0], pair[1]));

    private static Task<List<string>> AskAsync(ServiceHost worker) =>
        worker.Get<EngineRunner>().RunAsync(Requests.Create(), CancellationToken.None).AnswerAsync().WaitAsync(_limit);

    private static string ToolResult(ScriptedModel model) =>
        model.Requests[1].GetProperty("messages").EnumerateArray().Last().GetProperty("content").GetString()!;
}
