using System.Net;
using System.Text.Json;
using AgentPlatform.Tests.Inference.OpenAI;
using Microsoft.AspNetCore.Http;

namespace AgentPlatform.Tests.Client.Transports.Http;

public sealed class HttpTransportTests : IAsyncLifetime
{
    private const string Chat = """{"model":"agent","messages":[{"role":"user","content":"Hi"}]}""";

    private UpstreamServer _agent = null!;

    public async Task InitializeAsync() => _agent = await UpstreamServer.StartAsync();

    public Task DisposeAsync() => _agent.DisposeAsync().AsTask();

    [Fact]
    public async Task Whole_answers_come_from_invoke_and_analyze_and_streams_from_v1()
    {
        _agent.Answer = (context, body) => context.Request.Path.Value switch
        {
            "/invoke" => context.Response.WriteAsync("""{"id":"x","choices":[1]}"""),
            "/analyze" => context.Response.WriteAsync("""{"sentiment":"Neutral","confidence":1}"""),
            _ => UpstreamServer.Stream("data: {\"choices\":[{\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n")(context, body),
        };
        await using var host = await HostAsync();

        var whole = await host.PostAsync("/v1/chat/completions", Chat);
        Assert.Contains("\"model\":\"agent\",\"choices\":[1]}", whole.Body, StringComparison.Ordinal);
        Assert.Equal("""{"sentiment":"Neutral","confidence":1}""", (await host.PostAsync("/analyze", """{"text":"Hi"}""")).Body);
        var streamed = await host.PostAsync(
            "/v1/chat/completions", Chat.Replace("\"messages\"", "\"stream\":true,\"messages\"", StringComparison.Ordinal));
        Assert.EndsWith("data: [DONE]\n\n", streamed.Body, StringComparison.Ordinal);
        Assert.Equal(["/invoke", "/analyze", "/v1/chat/completions"], _agent.Requests.Select(request => request.Path));
        Assert.Equal(["upstream", null, "upstream"], _agent.Requests.Select(request => ModelOf(request.Body)));
    }

    [Fact]
    public async Task A_window_collects_requests_into_one_batch_and_answers_each_with_its_own()
    {
        _agent.Answer = (context, body) =>
        {
            using var json = JsonDocument.Parse(body);
            var answers = json.RootElement.EnumerateArray().Select(item => item.GetProperty("seed").GetInt32()).Select(seed => seed == 1
                ? """{"error":{"message":"Odd seed.","type":"invalid_request_error","param":"seed","code":null}}"""
                : $$"""{"choices":[{{seed}}]}""");
            return context.Response.WriteAsync($"[{string.Join(',', answers)}]");
        };

        // The fourth request fills the batch; the window itself would take longer than the test may.
        await using var host = await HostAsync(("Models:0:BatchWindow", "00:00:10"), ("Models:0:MaxBatchSize", "4"));
        var answers = await Task.WhenAll(Enumerable.Range(0, 8).Select(seed =>
            host.PostAsync("/v1/chat/completions", $$"""{"model":"agent","seed":{{seed}},"messages":[{"role":"user","content":"Hi"}]}""")));

        Assert.Equal(["/batch", "/batch"], _agent.Requests.Select(request => request.Path));
        for (var seed = 0; seed < answers.Length; seed++)
        {
            Assert.Equal(seed == 1 ? HttpStatusCode.BadRequest : HttpStatusCode.OK, answers[seed].Status);
            Assert.Contains(seed == 1 ? "does not take 'seed'" : $"\"choices\":[{seed}]}}", answers[seed].Body, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_window_that_passes_sends_what_it_has()
    {
        _agent.Answer = (context, _) => context.Response.WriteAsync("""[{"choices":[]}]""");
        await using var host = await HostAsync(("Models:0:BatchWindow", "00:00:00.05"));
        Assert.Equal(HttpStatusCode.OK, (await host.PostAsync("/v1/chat/completions", Chat)).Status);
    }

    [Theory]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("[{\"choices\":[]},{\"choices\":[]}]")]
    [InlineData("[7]")]
    [InlineData("nonsense")]
    public async Task A_batch_that_is_answered_wrongly_is_a_failure(string answer)
    {
        _agent.Answer = (context, _) => context.Response.WriteAsync(answer);
        await using var host = await HostAsync(("Models:0:BatchWindow", "00:00:00.05"));
        Assert.Equal(HttpStatusCode.BadGateway, (await host.PostAsync("/v1/chat/completions", Chat)).Status);
    }

    [Theory]
    [InlineData("/v1/chat/completions", Chat, null)]
    [InlineData("/analyze", """{"text":"Hi"}""", null)]
    [InlineData("/v1/chat/completions", Chat, "00:00:00.05")]
    public async Task An_answer_that_does_not_end_is_a_failure_and_the_agent_is_left(string path, string request, string? window)
    {
        var left = new TaskCompletionSource();
        _agent.Answer = (context, _) => UpstreamServer.RepeatAsync(context, new string(' ', 64 * 1024), left);
        await using var host = await HostAsync([.. window is null ? Array.Empty<(string, string)>() : [("Models:0:BatchWindow", window)]]);
        Assert.Equal(HttpStatusCode.BadGateway, (await host.PostAsync(path, request)).Status);
        await left.Task.WaitAsync(TimeSpan.FromMinutes(1));
    }

    [Fact]
    public async Task An_agent_that_is_away_is_503()
    {
        await using var host = await HostAsync(("Models:0:Endpoint", "http://127.0.0.1:9"));
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await host.PostAsync("/v1/chat/completions", Chat)).Status);
    }

    [Theory]
    [InlineData(true, false)]
    [InlineData(true, true)]
    [InlineData(false, true)]
    public async Task A_server_hears_of_traces_where_the_configuration_says_so_and_of_strangers_ones_never(bool isTrusted, bool isTold)
    {
        HeaderDictionary? received = null;
        _agent.Answer = (context, _) =>
        {
            received = new HeaderDictionary(context.Request.Headers.ToDictionary());
            return context.Response.WriteAsync("""{"choices":[]}""");
        };
        await using var host = await HostAsync(
            ("Upstream:TraceContext", $"{isTold}"), ("Edge:TrustTraceContext", $"{isTrusted}"),
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")); // OpenTelemetry's instrumentation has propagators of its own.
        const string Trace = "0af7651916cd43dd8448eb211c80319c";
        host.Http.DefaultRequestHeaders.Add("traceparent", $"00-{Trace}-b7ad6b7169203331-01");
        host.Http.DefaultRequestHeaders.Add("baggage", "inside=1");
        Assert.Equal(HttpStatusCode.OK, (await host.PostAsync("/v1/chat/completions", Chat)).Status);
        Assert.Equal(isTold, received!.ContainsKey("traceparent"));
        Assert.Equal(isTold && isTrusted, received["traceparent"].ToString().Contains(Trace, StringComparison.Ordinal));
        Assert.Equal(isTold && isTrusted, received.ContainsKey("baggage"));
    }

    private Task<ServiceHost> HostAsync(params (string Key, string Value)[] settings) => ServiceHost.GatewayAsync(
    [
        ("Models:0:Name", "agent"), ("Models:0:Transport", "http"), ("Models:0:Endpoint", _agent.Address.ToString()),
        ("Models:0:UpstreamModel", "upstream"), ("Models:0:Operations:0", "Chat"), ("Models:0:Operations:1", "Analyze"), .. settings,
    ]);

    private static string? ModelOf(string body)
    {
        using var json = JsonDocument.Parse(body);
        return json.RootElement.TryGetProperty("model", out var model) ? model.GetString() : null;
    }
}
