using System.Net;
using System.Text;
using AgentPlatform.Api.Replay;
using AgentPlatform.Inference;
using AgentPlatform.Inference.OpenAI;
using static AgentPlatform.Tests.Api.FakeInference;

namespace AgentPlatform.Tests.Api.Replay;

public sealed class IdempotencyTests
{
    private const string Chat = "/v1/chat/completions";
    private const string Messages = "\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]";
    private const string Streamed = $$"""{"model":"tiny","stream":true,{{Messages}}}""";
    private const string Whole = $$"""{"model":"tiny",{{Messages}}}""";
    private static readonly TimeSpan _limit = TimeSpan.FromMinutes(1);

    [Theory]
    [InlineData(Chat, Streamed, 1)]
    [InlineData(Chat, Whole, 1)]
    [InlineData("/invoke", Whole, 1)]
    [InlineData("/analyze", """{"text":"Hi"}""", 1)]
    [InlineData("/batch", $$"""[{"text":"Hi"},{{Whole}}]""", 2)]
    public async Task A_retry_gets_the_recorded_response(string path, string body, int runs)
    {
        await using var host = await ApiHost.StartAsync();
        host.Inference.Answer = (request, _) => request.Stream
            ? Parts(Text("a"), Text("b", "stop"), End())
            : Parts(Result("""{"choices":[]}"""));
        using var first = await PostAsync(host, path, body);
        var text = await first.Content.ReadAsStringAsync();
        host.Time.Advance(TimeSpan.FromMinutes(9));
        using var second = await PostAsync(host, path, body);

        Assert.Equal(HttpStatusCode.OK, first.StatusCode);
        Assert.Equal(HttpStatusCode.OK, second.StatusCode);
        Assert.Equal(text, await second.Content.ReadAsStringAsync());
        Assert.Equal(first.Content.Headers.ContentType, second.Content.Headers.ContentType);
        Assert.False(first.Headers.Contains("idempotency-replayed"));
        Assert.Equal("true", second.Headers.GetValues("idempotency-replayed").Single());
        Assert.NotEqual(first.Headers.GetValues("x-request-id").Single(), second.Headers.GetValues("x-request-id").Single());
        Assert.Equal(runs, host.Inference.Requests.Count);
    }

    [Fact]
    public async Task Without_a_key_or_after_the_window_a_request_runs_again()
    {
        await using var host = await ApiHost.StartAsync();
        (await PostAsync(host, Chat, Whole)).Dispose();
        host.Time.Advance(TimeSpan.FromMinutes(10));
        using var late = await PostAsync(host, Chat, Whole);
        Assert.False(late.Headers.Contains("idempotency-replayed"));
        (await host.PostAsync(Chat, Whole)).Dispose();
        Assert.Equal(3, host.Inference.Requests.Count);
    }

    [Fact]
    public async Task A_retry_of_a_running_stream_gets_all_of_it_and_follows()
    {
        await using var host = await ApiHost.StartAsync();
        var gate = new TaskCompletionSource();
        host.Inference.Answer = (_, token) => Gated(gate.Task, [Text("a")], [Text("b", "stop"), End()], token);
        using var first = await PostAsync(host, Chat, Streamed);
        using var second = await PostAsync(host, Chat, Streamed);
        Assert.True(second.Headers.Contains("idempotency-replayed"));
        using var follower = new StreamReader(await second.Content.ReadAsStreamAsync());
        Assert.Contains("\"a\"", await follower.ReadLineAsync().WaitAsync(_limit), StringComparison.Ordinal);

        gate.SetResult();
        var rest = await follower.ReadToEndAsync().WaitAsync(_limit);
        Assert.EndsWith("data: [DONE]\n\n", rest, StringComparison.Ordinal);
        Assert.EndsWith(rest, await first.Content.ReadAsStringAsync().WaitAsync(_limit), StringComparison.Ordinal);
        Assert.DoesNotContain("id:", rest, StringComparison.Ordinal);
        Assert.Single(host.Inference.Requests);
    }

    [Fact]
    public async Task Many_at_once_are_one_run()
    {
        await using var host = await ApiHost.StartAsync();
        var gate = new TaskCompletionSource();
        host.Inference.Answer = (_, token) => Gated(gate.Task, [], [Result("""{"choices":[]}""")], token);
        var sent = Enumerable.Range(0, 20).Select(_ => PostAsync(host, Chat, Whole)).ToList();
        await Wait.UntilAsync(() => host.Inference.Requests.Count > 0);
        gate.SetResult();
        var responses = await Task.WhenAll(sent).WaitAsync(_limit);
        var bodies = await Task.WhenAll(responses.Select(response => response.Content.ReadAsStringAsync()));
        Assert.Single(bodies.Distinct());
        Assert.Equal(19, responses.Count(response => response.Headers.Contains("idempotency-replayed")));
        Assert.Single(host.Inference.Requests);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task The_run_goes_on_without_its_client_until_its_deadline(bool retried)
    {
        await using var host = await ApiHost.StartAsync();
        var (gate, running, cancelled) = (new TaskCompletionSource(), new TaskCompletionSource(), new TaskCompletionSource());
        host.Inference.Answer = (_, token) =>
        {
            token.Register(() => cancelled.TrySetResult());
            running.SetResult();
            return Gated(gate.Task, [], [Result("""{"choices":[]}""")], token);
        };
        using var leave = new CancellationTokenSource();
        var first = PostAsync(host, Chat, Whole, cancellationToken: leave.Token);
        await running.Task.WaitAsync(_limit);
        await leave.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
        host.Time.Advance(TimeSpan.FromMinutes(4));
        Assert.False(cancelled.Task.IsCompleted);
        if (retried)
        {
            var retry = PostAsync(host, Chat, Whole);
            gate.SetResult();
            Assert.Equal(HttpStatusCode.OK, (await retry.WaitAsync(_limit)).StatusCode);
        }
        else
        {
            host.Time.Advance(TimeSpan.FromMinutes(1));
            await cancelled.Task.WaitAsync(_limit);
            await Wait.UntilAsync(() => host.Get<RecordedResponses>().Count == 0);
        }

        Assert.Single(host.Inference.Requests);
    }

    [Theory]
    [InlineData(Chat, $$"""{"model":"tiny","seed":1,{{Messages}}}""")]
    [InlineData(Chat + "?a=b", Whole)]
    [InlineData("/invoke", Whole)]
    public async Task The_same_key_with_another_request_is_a_conflict(string path, string body)
    {
        await using var host = await ApiHost.StartAsync();
        (await PostAsync(host, Chat, Whole)).Dispose();
        using var other = await PostAsync(host, path, body);
        Assert.Equal(HttpStatusCode.Conflict, other.StatusCode);
        Assert.Equal("false", other.Headers.GetValues("x-should-retry").Single());
        Assert.Contains("\"code\":\"idempotency_key_reused\"", await other.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Single(host.Inference.Requests);
    }

    [Fact]
    public async Task The_same_key_of_another_caller_is_another_key()
    {
        await using var host = await ApiHost.StartAsync();
        (await PostAsync(host, Chat, Whole, authorization: "Bearer one")).Dispose();
        using var other = await PostAsync(host, Chat, Whole, authorization: "Bearer two");
        Assert.False(other.Headers.Contains("idempotency-replayed"));
        using var same = await PostAsync(host, Chat, Whole, authorization: "Bearer one");
        Assert.True(same.Headers.Contains("idempotency-replayed"));
        Assert.Equal(2, host.Inference.Requests.Count);
    }

    [Theory]
    [InlineData(429)]
    [InlineData(503)]
    [InlineData(502)]
    [InlineData(500)]
    [InlineData(400)]
    public async Task A_refusal_is_not_remembered(int status)
    {
        await using var host = await ApiHost.StartAsync();
        host.Inference.Answer = (_, _) => status == 500
            ? throw new NotSupportedException("secret")
            : FailAfter(
                new InferenceError(ErrorFormat.KindOf(status), "No.", "no", RetryAfterSeconds: status is 429 or 503 ? 7 : null), Started);
        using (var refused = await PostAsync(host, Chat, Streamed))
        {
            Assert.Equal(status, (int)refused.StatusCode);
            Assert.Equal(status is 429 or 503, refused.Headers.RetryAfter is not null);
            Assert.DoesNotContain("secret", await refused.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        }

        host.Inference.Answer = (_, _) => Parts(Text("a", "stop"), End());
        using var retry = await PostAsync(host, Chat, Streamed);
        Assert.Equal(HttpStatusCode.OK, retry.StatusCode);
        Assert.False(retry.Headers.Contains("idempotency-replayed"));
        Assert.EndsWith("data: [DONE]\n\n", await retry.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_failure_inside_a_stream_is_recorded_like_any_event()
    {
        await using var host = await ApiHost.StartAsync();
        host.Inference.Answer = (_, _) => FailAfter(InferenceError.EngineFailed("Broke."), Text("a"));
        using var first = await PostAsync(host, Chat, Streamed);
        using var retry = await PostAsync(host, Chat, Streamed);
        var text = await ApiHost.ReadTruncatedAsync(retry);
        Assert.Equal(await ApiHost.ReadTruncatedAsync(first), text);
        Assert.Contains("\"code\":\"engine_error\"", text, StringComparison.Ordinal);
        Assert.Single(host.Inference.Requests);
    }

    [Fact]
    public async Task A_whole_response_that_is_too_large_to_be_kept_is_not_made_twice()
    {
        await using var host = await ApiHost.StartAsync(("Api:Replay:MaxResponseSize", "65536"));
        host.Inference.Answer = (_, _) => Parts(Result($$"""{"choices":["{{new string('x', 70_000)}}"]}"""));
        using var first = await PostAsync(host, Chat, Whole);
        Assert.InRange((await first.Content.ReadAsStringAsync()).Length, 70_000, 71_000);
        using var retry = await PostAsync(host, Chat, Whole);
        Assert.Equal(HttpStatusCode.Conflict, retry.StatusCode);
        Assert.Contains("\"code\":\"response_not_kept\"", await retry.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Single(host.Inference.Requests);
    }

    [Fact]
    public async Task A_stream_that_outgrows_what_is_kept_ends_with_an_error()
    {
        await using var host = await ApiHost.StartAsync(("Api:Replay:MaxResponseSize", "65536"));
        host.Inference.Answer = (_, _) => Parts([.. Enumerable.Repeat(Text(new string('x', 1000)), 100), End()]);
        using var response = await PostAsync(host, Chat, Streamed);
        var text = await ApiHost.ReadTruncatedAsync(response);
        Assert.Contains("\"code\":\"response_too_large\"", text, StringComparison.Ordinal);
        Assert.DoesNotContain("[DONE]", text, StringComparison.Ordinal);
        Assert.InRange(text.Length, 65_536, 100_000);
    }

    [Fact]
    public async Task Clients_that_do_not_read_stop_nobody()
    {
        await using var host = await ApiHost.StartAsync();
        host.Inference.Answer = (_, _) => Parts([.. Enumerable.Repeat(Text(new string('x', 10_000)), 300), End()]);
        using var silent = await PostAsync(host, Chat, Streamed);
        using var reading = await PostAsync(host, Chat, Streamed);
        var text = await reading.Content.ReadAsStringAsync().WaitAsync(_limit);
        Assert.EndsWith("data: [DONE]\n\n", text, StringComparison.Ordinal);
        Assert.Equal(text, await silent.Content.ReadAsStringAsync().WaitAsync(_limit));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(256)]
    public async Task A_key_that_is_none_is_refused(int length)
    {
        await using var host = await ApiHost.StartAsync();
        using var response = await PostAsync(host, Chat, Whole, key: new string('k', length));
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Contains("\"param\":\"Idempotency-Key\"", await response.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Empty(host.Inference.Requests);
    }

    private static async Task<HttpResponseMessage> PostAsync(
        ApiHost host, string path, string body, string key = "k", string? authorization = null,
        CancellationToken cancellationToken = default)
    {
        var headers = new List<(string, string)> { ("Idempotency-Key", key) };
        if (authorization is not null)
        {
            headers.Add(("Authorization", authorization));
        }

        return await host.PostAsync(path, Encoding.UTF8.GetBytes(body), cancellationToken, [.. headers]);
    }
}
