using System.Net;
using System.Text;
using AgentPlatform.Inference;
using static AgentPlatform.Tests.Api.FakeInference;

namespace AgentPlatform.Tests.Api.Chat;

public sealed class ChatStreamTests
{
    private const string Path = "/v1/chat/completions";
    private const string Streamed = """{"model":"tiny","stream":true,"messages":[{"role":"user","content":"Hi"}]}""";
    private const string WithUsage =
        """{"model":"tiny","stream":true,"stream_options":{"include_usage":true},"messages":[{"role":"user","content":"Hi"}]}""";

    [Fact]
    public async Task A_stream_with_usage_is_byte_for_byte_OpenAIs()
    {
        await using var host = await ApiHost.StartAsync();
        host.Inference.Answer = (_, _) => Parts(
            Started, Text("Hel"), Text("lo", "stop"), End("""{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3}"""));
        using var response = await host.PostAsync(Path, WithUsage);

        var id = host.Inference.Requests.Single().RequestId;
        var opening = $$"""{"id":"chatcmpl-{{id:N}}","object":"chat.completion.chunk","created":1700000000,"model":"tiny",""";
        Assert.Equal(
            $"data: {opening}\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\"Hel\"}},\"finish_reason\":null}}],\"usage\":null}}\n\n" +
            $"data: {opening}\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\"lo\"}},\"finish_reason\":\"stop\"}}],"
                + $"\"usage\":null}}\n\n" +
            $"data: {opening}\"choices\":[],\"usage\":{{\"prompt_tokens\":1,\"completion_tokens\":2,\"total_tokens\":3}}}}\n\n" +
            "data: [DONE]\n\n",
            await response.Content.ReadAsStringAsync());
        Assert.Equal("text/event-stream", response.Content.Headers.ContentType!.ToString());
        Assert.True(response.Headers.CacheControl!.NoCache);
        Assert.Equal("no", response.Headers.GetValues("X-Accel-Buffering").Single());
        Assert.Equal(id.ToString(), response.Headers.GetValues("x-request-id").Single());
    }

    [Fact]
    public async Task A_stream_without_usage_has_none_in_any_chunk()
    {
        await using var host = await ApiHost.StartAsync();
        host.Inference.Answer = (_, _) => Parts(Delta("{\r\n \"choices\": [] }"), End("""{"total_tokens":3}"""));
        using var response = await host.PostAsync(Path, Streamed);
        var text = await response.Content.ReadAsStringAsync();

        Assert.DoesNotContain("usage", text, StringComparison.Ordinal);
        Assert.EndsWith("\"model\":\"tiny\",\"choices\": []}\n\ndata: [DONE]\n\n", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_failure_before_the_first_token_keeps_its_status()
    {
        await using var host = await ApiHost.StartAsync();
        host.Inference.Answer = (_, _) => FailAfter(InferenceError.Overloaded("Full.", 7), Started);
        using var response = await host.PostAsync(Path, Streamed);

        Assert.Equal(HttpStatusCode.TooManyRequests, response.StatusCode);
        Assert.False(response.Headers.Contains("x-should-retry"));
        Assert.Equal(TimeSpan.FromSeconds(7), response.Headers.RetryAfter!.Delta);
        Assert.Equal(
            """{"error":{"message":"Full.","type":"rate_limit_error","param":null,"code":"overloaded"}}""",
            await response.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task A_failure_after_the_first_token_is_an_event_and_no_good_end()
    {
        await using var host = await ApiHost.StartAsync();
        host.Inference.Answer = (_, _) => FailAfter(InferenceError.EngineFailed("Broke."), Text("a"));
        using var response = await host.PostAsync(Path, Streamed);
        var text = await ApiHost.ReadTruncatedAsync(response);

        Assert.EndsWith(
            "data: {\"error\":{\"message\":\"Broke.\",\"type\":\"server_error\",\"param\":null,\"code\":\"engine_error\"}}\n\n", text,
            StringComparison.Ordinal);
        Assert.DoesNotContain("[DONE]", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_answer_that_just_stops_is_a_failure()
    {
        await using var host = await ApiHost.StartAsync();
        host.Inference.Answer = (_, _) => Parts(Text("a"));
        using var stream = await host.PostAsync(Path, Streamed);
        Assert.Contains("\"code\":\"engine_error\"", await ApiHost.ReadTruncatedAsync(stream), StringComparison.Ordinal);

        host.Inference.Answer = (_, _) => Parts(Started);
        using var whole = await host.PostAsync(Path, """{"model":"tiny","messages":[{"role":"user","content":"Hi"}]}""");
        Assert.Equal(HttpStatusCode.BadGateway, whole.StatusCode);
    }

    [Fact]
    public async Task A_token_is_sent_before_the_next_is_made_and_silence_after_it_is_filled_with_comments()
    {
        await using var host = await ApiHost.StartAsync();
        var gate = new TaskCompletionSource();
        host.Inference.Answer = (_, token) => Gated(gate.Task, [Text("a")], [Text("b", "stop"), End()], token);
        using var response = await host.PostAsync(Path, Streamed);
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync());
        Assert.Contains("\"a\"", await LineAsync(reader), StringComparison.Ordinal);
        Assert.Equal("", await LineAsync(reader));

        for (var beat = 0; beat < 3; beat++)
        {
            var line = LineAsync(reader);
            while (!line.IsCompleted)
            {
                // The server may set its timer a moment after the client has read the token.
                host.Time.Advance(TimeSpan.FromSeconds(15));
                await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System);
            }

            Assert.Equal(": heartbeat", await line);
            host.Time.Advance(TimeSpan.FromSeconds(1));
        }

        gate.SetResult();
        var rest = await reader.ReadToEndAsync().WaitAsync(TimeSpan.FromMinutes(1));
        Assert.EndsWith("data: [DONE]\n\n", rest, StringComparison.Ordinal);
        Assert.Contains("\"b\"", rest, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_passed_deadline_is_504_or_an_event(bool begun)
    {
        await using var host = await ApiHost.StartAsync();
        var running = new TaskCompletionSource();
        host.Inference.Answer = (_, token) =>
        {
            running.SetResult();
            return Gated(new TaskCompletionSource().Task, begun ? [Text("a")] : [Started], [], token);
        };
        var sent = host.PostAsync(Path, Encoding.UTF8.GetBytes(Streamed), default, ("x-request-timeout", "2.5"));
        await running.Task.WaitAsync(TimeSpan.FromMinutes(1));
        Assert.Equal(TimeSpan.FromSeconds(2.5), host.Inference.Requests.Single().Deadline - host.Time.GetUtcNow());
        if (begun)
        {
            await sent;
        }

        host.Time.Advance(TimeSpan.FromSeconds(3));
        using var response = await sent;
        Assert.Equal(begun ? HttpStatusCode.OK : HttpStatusCode.GatewayTimeout, response.StatusCode);
        Assert.Equal(!begun, response.Headers.TryGetValues("x-should-retry", out var retry) && retry.Single() == "false");
        Assert.Contains(
            "\"code\":\"deadline_exceeded\"",
            begun ? await ApiHost.ReadTruncatedAsync(response) : await response.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    private static Task<string?> LineAsync(StreamReader reader) => reader.ReadLineAsync().WaitAsync(TimeSpan.FromMinutes(1));
}
