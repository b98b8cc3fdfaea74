using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Nodes;
using AgentPlatform.Api.Telemetry;
using AgentPlatform.Inference;
using Microsoft.Extensions.Options;
using static AgentPlatform.Tests.Api.FakeInference;

namespace AgentPlatform.Tests.Api.Telemetry;

/// <summary>What the span of a request says of it, and what it says only where that is asked for.</summary>
public sealed class InferenceSpansTests : IDisposable
{
    private const string Secret = "my cat is called Frieda";

    private readonly ConcurrentQueue<Activity> _ended = new();
    private readonly ActivityListener _listener;

    public InferenceSpansTests()
    {
        _listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name is InferenceMetrics.Name or "Microsoft.AspNetCore",
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = _ended.Enqueue,
        };
        ActivitySource.AddActivityListener(_listener);
    }

    public void Dispose() => _listener.Dispose();

    [Fact]
    public async Task Stream_WithoutTheSwitch_IsDescribedWithoutContent()
    {
        await using var host = await ApiHost.StartAsync();
        host.Inference.Answer = (_, _) => Parts(
            Text("Fri"), Text("eda"), Text("", "stop"),
            End("""{"prompt_tokens":7,"completion_tokens":2,"prompt_tokens_details":{"cached_tokens":3}}"""));

        var span = await AskAsync(host, $$"""
            {"model":"MODEL","stream":true,"max_completion_tokens":50,"temperature":0.5,"top_p":0.9,"seed":7,"stop":["\n"],"n":2,
             "response_format":{"type":"json_object"},"messages":[{"role":"user","content":"{{Secret}}"}]}
            """, ("x-conversation-id", "c1"));

        Assert.Equal(ActivityKind.Client, span.Kind);
        Assert.Equal(ActivityStatusCode.Unset, span.Status);
        Expect(span, "gen_ai.operation.name", "chat");
        Expect(span, "gen_ai.provider.name", "agentplatform");
        Expect(span, "agentplatform.model.version", "3");
        Expect(span, "gen_ai.response.model", (string)span.GetTagItem("gen_ai.request.model")!);
        Expect(span, "gen_ai.conversation.id", "c1");
        Expect(span, "gen_ai.request.stream", true);
        Expect(span, "gen_ai.request.max_tokens", 50L);
        Expect(span, "gen_ai.request.temperature", 0.5);
        Expect(span, "gen_ai.request.top_p", 0.9);
        Expect(span, "gen_ai.request.seed", 7L);
        Expect(span, "gen_ai.request.choice.count", 2L);
        Expect(span, "gen_ai.output.type", "json");
        Expect(span, "gen_ai.usage.input_tokens", 7L);
        Expect(span, "gen_ai.usage.output_tokens", 2L);
        Expect(span, "gen_ai.usage.cache_read.input_tokens", 3L);
        Assert.Equal(["\n"], Assert.IsType<string[]>(span.GetTagItem("gen_ai.request.stop_sequences")));
        Assert.Equal(["stop"], Assert.IsType<string[]>(span.GetTagItem("gen_ai.response.finish_reasons")));
        Assert.IsType<double>(span.GetTagItem("gen_ai.response.time_to_first_chunk"));
        Assert.StartsWith("chatcmpl-", (string)span.GetTagItem("gen_ai.response.id")!, StringComparison.Ordinal);
        Assert.DoesNotContain(_ended.Where(other => other.TraceId == span.TraceId).SelectMany(other => other.TagObjects),
            tag => $"{tag.Value}".Contains("Frieda", StringComparison.Ordinal) || tag.Key.EndsWith(".messages", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("SPAN_ONLY", true)]
    [InlineData("span_and_event", true)]
    [InlineData("true", true)]
    [InlineData("EVENT_ONLY", false)]
    [InlineData("NO_CONTENT", false)]
    [InlineData("false", false)]
    [InlineData("", false)]
    public async Task Content_IsInSpans_AsTheSwitchSays(string value, bool isThere)
    {
        await using var host = await ApiHost.StartAsync((MessageContentOptions.Key, value));
        host.Inference.Answer = (_, _) => Parts(Text("Hi"), Text("", "stop"), End());

        var span = await AskAsync(host, """{"model":"MODEL","stream":true,"messages":[{"role":"user","content":"Hello"}]}""");

        Assert.Equal(isThere, span.GetTagItem("gen_ai.input.messages") is not null);
        Assert.Equal(isThere, span.GetTagItem("gen_ai.output.messages") is not null);
    }

    [Fact]
    public async Task Switch_WithAnUnknownValue_IsRefusedAtTheStart()
    {
        var e = await Assert.ThrowsAsync<OptionsValidationException>(() => ApiHost.StartAsync((MessageContentOptions.Key, "SPANS")));

        Assert.Contains(
            $"{MessageContentOptions.Key} must be NO_CONTENT, SPAN_ONLY, EVENT_ONLY or SPAN_AND_EVENT.", e.Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task Stream_WithContent_HasMessagesPutTogetherFromItsChunks()
    {
        await using var host = await WithContentAsync();
        host.Inference.Answer = (_, _) => Parts(
            Delta("""{"choices":[{"index":0,"delta":{"role":"assistant","reasoning_content":"She "},"finish_reason":null}]}"""),
            Delta("""{"choices":[{"index":0,"delta":{"reasoning_content":"asks."},"finish_reason":null}]}"""),
            Delta("""{"choices":[{"index":1,"delta":{"content":"Two \"finish_reason\":\"no\""},"finish_reason":null}]}"""),
            Text("Hel"), Text("lo"),
            Delta("""{"choices":[{"index":1,"delta":{},"finish_reason" : "length"}]}"""),
            Text("", "stop"), End());

        var span = await AskAsync(host, """
            {"model":"MODEL","stream":true,"n":2,"messages":[
              {"role":"system","content":"Be kind."},
              {"role":"user","content":[
                {"type":"text","text":"Who is it?"},
                {"type":"image_url","image_url":{"url":"data:image/png;base64,QUJD"}},
                {"type":"image_url","image_url":{"url":"https://example.org/cat.png"}},
                {"type":"input_audio","input_audio":{"data":"QQ==","format":"wav"}}]}]}
            """);

        ExpectJson(span, "gen_ai.input.messages", """
            [{"role":"system","parts":[{"type":"text","content":"Be kind."}]},
             {"role":"user","parts":[
               {"type":"text","content":"Who is it?"},
               {"type":"blob","mime_type":"image/png","content":"QUJD","modality":"image"},
               {"type":"uri","uri":"https://example.org/cat.png","modality":"image"},
               {"type":"input_audio","input_audio":{"data":"QQ==","format":"wav"}}]}]
            """);
        ExpectJson(span, "gen_ai.output.messages", """
            [{"role":"assistant","parts":[{"type":"reasoning","content":"She asks."},{"type":"text","content":"Hello"}],
              "finish_reason":"stop"},
             {"role":"assistant","parts":[{"type":"text","content":"Two \"finish_reason\":\"no\""}],"finish_reason":"length"}]
            """);
        Assert.Equal(["stop", "length"], Assert.IsType<string[]>(span.GetTagItem("gen_ai.response.finish_reasons")));
    }

    [Fact]
    public async Task ToolCalls_WithContent_AreMessagesOfTheirKind()
    {
        await using var host = await WithContentAsync();
        host.Inference.Answer = (_, _) => Parts(
            Delta(
                """{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"c2","type":"function","function":"""
                    + """{"name":"weather","arguments":"{\"ci"}}]},"finish_reason":null}]}"""),
            Delta(
                """{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"ty\":\"Bonn\"}"}},{"index":"""
                    + """1,"id":"c3","function":{"name":"clock","arguments":"no"}}]},"finish_reason":null}]}"""),
            Delta("""{"choices":[{"index":0,"delta":{},"finish_reason":"tool_calls"}]}"""), End());

        var span = await AskAsync(host, """
            {"model":"MODEL","stream":true,
             "tools":[{"type":"function","function":{"name":"weather","description":"Of a city.","parameters":{"type":"object"}}}],
             "messages":[{"role":"user","content":"And in Bonn?"},
               {"role":"assistant","content":null,"tool_calls":[
                 {"id":"c1","type":"function","function":{"name":"weather","arguments":"{\"city\":\"Ulm\"}"}}]},
               {"role":"tool","tool_call_id":"c1","content":"Rain"}]}
            """);

        ExpectJson(
            span, "gen_ai.tool.definitions",
            """[{"type":"function","name":"weather","description":"Of a city.","parameters":{"type":"object"}}]""");
        ExpectJson(span, "gen_ai.input.messages", """
            [{"role":"user","parts":[{"type":"text","content":"And in Bonn?"}]},
             {"role":"assistant","parts":[{"type":"tool_call","id":"c1","name":"weather","arguments":{"city":"Ulm"}}]},
             {"role":"tool","parts":[{"type":"tool_call_response","id":"c1","response":"Rain"}]}]
            """);
        ExpectJson(span, "gen_ai.output.messages", """
            [{"role":"assistant","parts":[{"type":"tool_call","id":"c2","name":"weather","arguments":{"city":"Bonn"}},
              {"type":"tool_call","id":"c3","name":"clock","arguments":"no"}],"finish_reason":"tool_call"}]
            """);
    }

    [Fact]
    public async Task WholeAnswer_WithContent_HasItsMessageAndUsage()
    {
        await using var host = await WithContentAsync();
        host.Inference.Answer = (_, _) => Parts(Result(
            """{"choices":[{"index":0,"message":{"role":"assistant","content":"Hi"},"finish_reason":"stop"}],"usage":{"prompt_tokens":"""
                + """1,"completion_tokens":2}}"""));

        var span = await AskAsync(host, """{"model":"MODEL","messages":[{"role":"user","content":"Hello"}]}""");

        Expect(span, "gen_ai.request.stream", false);
        Expect(span, "gen_ai.usage.output_tokens", 2L);
        ExpectJson(
            span, "gen_ai.output.messages", """[{"role":"assistant","parts":[{"type":"text","content":"Hi"}],"finish_reason":"stop"}]""");
    }

    [Fact]
    public async Task Analysis_WithContent_HasTextAndJudgement()
    {
        await using var host = await WithContentAsync();
        host.Inference.Answer = (_, _) => Parts(Result("""{"sentiment":"Positive","confidence":0.9}"""));

        var span = await AskAsync(host, """{"model":"MODEL","text":"I love it"}""", path: "/analyze");

        Expect(span, "gen_ai.operation.name", "analyze");
        ExpectJson(span, "gen_ai.input.messages", """[{"role":"user","parts":[{"type":"text","content":"I love it"}]}]""");
        ExpectJson(
            span, "gen_ai.output.messages",
            """[{"role":"assistant","parts":[{"type":"text","content":"{\"sentiment\":\"Positive\",\"confidence\":0.9}"}]}]""");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Failure_IsAnErrorOfItsType_AndItsMessageIsContent(bool stream)
    {
        foreach (var isContent in new[] { false, true })
        {
            await using var host = await ApiHost.StartAsync((MessageContentOptions.Key, isContent ? "SPAN_ONLY" : "NO_CONTENT"));
            host.Inference.Answer = (_, _) => FailAfter(
                new InferenceError(ErrorKind.InvalidRequest, $"Not allowed: {Secret}", "content_filter"));

            var span = await AskAsync(
                host, $$"""{"model":"MODEL","stream":{{(stream ? "true" : "false")}},"messages":[{"role":"user","content":"Hello"}]}""");

            Expect(span, "error.type", "content_filter");
            Assert.Equal(ActivityStatusCode.Error, span.Status);
            Assert.Equal(isContent ? $"Not allowed: {Secret}" : null, span.StatusDescription);
            Assert.Null(span.GetTagItem("gen_ai.response.finish_reasons"));
        }
    }

    [Fact]
    public async Task Stream_ThatBreaks_HasWhatCameOfIt()
    {
        await using var host = await WithContentAsync();
        host.Inference.Answer = (_, _) => FailAfter(InferenceError.EngineFailed("It broke."), Text("Hel"));

        var span = await AskAsync(host, """{"model":"MODEL","stream":true,"messages":[{"role":"user","content":"Hello"}]}""");

        Expect(span, "error.type", "engine_error");
        ExpectJson(span, "gen_ai.output.messages", """[{"role":"assistant","parts":[{"type":"text","content":"Hel"}]}]""");
    }

    [Theory]
    [InlineData("""{"choices":"none"}""")]
    [InlineData(
        """{"choices":[1,{"index":1.5,"delta":[],"finish_reason":7},{"delta":{"content":"\ud83d","tool_calls":[2,{"function":3}]}}]}""")]
    [InlineData("""{"usage":4}""")]
    [InlineData("""{"choices":[}""")]
    public async Task Answer_OfAnyShape_CostsTheSpanItsContentAndNobodyTheAnswer(string chunk)
    {
        await using var host = await WithContentAsync();
        host.Inference.Answer = (_, _) => Parts(Delta(chunk), Text("Hi", "stop"), End("""{"prompt_tokens":"many"}"""));
        var model = Model(host);

        using var response = await host.PostAsync(
            "/v1/chat/completions", $$"""{"model":"{{model}}","stream":true,"messages":[{"role":"user","content":"Hello"}]}""");
        var text = await response.Content.ReadAsStringAsync();

        Assert.EndsWith("data: [DONE]\n\n", text, StringComparison.Ordinal);
        Expect(await SpanAsync(model), "gen_ai.provider.name", "agentplatform");
    }

    private static Task<ApiHost> WithContentAsync() => ApiHost.StartAsync((MessageContentOptions.Key, "SPAN_ONLY"));

    // Other tests make spans at the same time.
    private static string Model(ApiHost host)
    {
        var model = $"m-{Guid.NewGuid():N}";
        host.Inference.Version = "3";
        host.Inference.Models.Add(new(model, [Operation.Chat, Operation.Analyze], "tests"));
        return model;
    }

    private async Task<Activity> AskAsync(
        ApiHost host, string body, (string Name, string Value)? header = null, string path = "/v1/chat/completions")
    {
        var model = Model(host);
        (string, string)[] headers = header is { } one ? [one] : [];
        using var response = await host.PostAsync(
            path, System.Text.Encoding.UTF8.GetBytes(body.Replace("MODEL", model, StringComparison.Ordinal)), CancellationToken.None,
            headers);
        try
        {
            await response.Content.ReadAsStringAsync();
        }
        catch (HttpRequestException)
        {
            // A stream that failed has no last chunk.
        }

        return await SpanAsync(model);
    }

    private async Task<Activity> SpanAsync(string model)
    {
        Activity? Find() => _ended.FirstOrDefault(
            span => span.Source.Name == InferenceMetrics.Name && Equals(span.GetTagItem("gen_ai.request.model"), model));
        await Wait.UntilAsync(() => Find() is not null);
        return Find()!;
    }

    private static void Expect(Activity span, string tag, object value) => Assert.Equal((tag, value), (tag, span.GetTagItem(tag)));

    private static void ExpectJson(Activity span, string tag, string expected)
    {
        var actual = JsonNode.Parse(Assert.IsType<string>(span.GetTagItem(tag)));
        Assert.True(JsonNode.DeepEquals(JsonNode.Parse(expected), actual), $"{tag}: {actual?.ToJsonString(JsonSerializerOptions.Web)}");
    }
}
