using System.Net;
using System.Text;
using System.Text.Json;
using AgentPlatform.Tests.Api;
using AgentPlatform.Tests.Inference.OpenAI;
using Microsoft.AspNetCore.Http;

namespace AgentPlatform.Tests.Worker.Engines.OpenAI;

/// <summary>What a client of the worker sees when the engine's server misbehaves, and that its slot is free afterwards.</summary>
public sealed class TroubledServerTests : IAsyncLifetime
{
    private const string Good = """{"choices":[{"index":0,"message":{"role":"assistant","content":"Hi"},"finish_reason":"stop"}]}""";
    private const string Chunk = """data: {"choices":[{"index":0,"delta":{"content":"Hi"},"finish_reason":null}]}""" + "\n\n";

    private UpstreamServer _server = null!;
    private ServiceHost _worker = null!;

    public async Task InitializeAsync()
    {
        _server = await UpstreamServer.StartAsync();
        _worker = await ServiceHost.WorkerAsync(
            ("Engine:Type", "openai"), ("OpenAI:Endpoint", new Uri(_server.Address, "/v1").AbsoluteUri), ("Engine:Slots", "1"));
        await _worker.ReadyAsync();
    }

    public async Task DisposeAsync()
    {
        await _worker.DisposeAsync();
        await _server.DisposeAsync();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_server_that_is_too_slow_is_left_at_the_deadline(bool stream)
    {
        var left = new TaskCompletionSource();
        _server.Answer = async (context, _) =>
        {
            context.RequestAborted.Register(left.SetResult);
            await left.Task;
        };
        var (status, body, _) = await AskAsync(stream, timeout: "0.3");
        Assert.Equal((HttpStatusCode.GatewayTimeout, "deadline_exceeded"), (status, CodeOf(body)));
        await left.Task.WaitAsync(TimeSpan.FromMinutes(1));
        await CheckRecoveryAsync();
    }

    [Fact]
    public async Task A_server_that_falls_silent_in_its_stream_is_left_at_the_deadline_with_an_error_event()
    {
        var left = new TaskCompletionSource();
        _server.Answer = async (context, body) =>
        {
            context.RequestAborted.Register(left.SetResult);
            await UpstreamServer.Stream(Chunk)(context, body);
            await left.Task;
        };
        await CheckBrokenStreamAsync("deadline_exceeded", timeout: "0.5");
        await left.Task.WaitAsync(TimeSpan.FromMinutes(1));
        await CheckRecoveryAsync();
    }

    [Theory]
    [InlineData(429, 429, "overloaded")]
    [InlineData(503, 503, "unavailable")]
    public async Task A_server_that_is_at_its_limit_says_when_to_come_back(int status, int expected, string code)
    {
        _server.Answer = (context, _) =>
        {
            (context.Response.StatusCode, context.Response.Headers.RetryAfter) = (status, "7");
            return context.Response.WriteAsync("""{"error":{"message":"Busy."}}""");
        };
        foreach (var stream in new[] { true, false })
        {
            var (answered, body, retryAfter) = await AskAsync(stream);
            Assert.Equal((expected, code, 7d), ((int)answered, CodeOf(body), retryAfter?.TotalSeconds));
        }

        await CheckRecoveryAsync();
    }

    [Theory]
    [InlineData("")] // Cut off
    [InlineData("data: nonsense\n\n")]
    [InlineData("data: {\"error\":{\"message\":\"Out of memory.\"}}\n\n")]
    public async Task A_stream_that_breaks_ends_with_an_error_event_and_without_done(string rest)
    {
        _server.Answer = (context, _) =>
        {
            (context.Response.ContentType, context.Response.ContentLength) = ("text/event-stream", Chunk.Length + rest.Length + 100);
            return context.Response.WriteAsync(Chunk + rest);
        };
        await CheckBrokenStreamAsync("engine_error");
        await CheckRecoveryAsync();
    }

    [Theory]
    [InlineData("<html>")]
    [InlineData("{}")]
    [InlineData("")]
    public async Task An_answer_that_is_none_is_a_bad_gateway(string answer)
    {
        _server.Answer = (context, _) => context.Response.WriteAsync(answer);
        foreach (var stream in new[] { true, false })
        {
            var (status, body, _) = await AskAsync(stream);
            Assert.Equal((HttpStatusCode.BadGateway, "engine_error"), (status, CodeOf(body)));
        }

        await CheckRecoveryAsync();
    }

    [Fact]
    public async Task A_server_that_hangs_up_once_is_asked_again_and_one_that_always_does_is_away()
    {
        var asked = 0;
        _server.Answer = (context, _) =>
        {
            if (asked++ == 0)
            {
                context.Abort();
                return Task.CompletedTask;
            }

            return context.Response.WriteAsync(Good);
        };
        Assert.Equal(HttpStatusCode.OK, (await AskAsync(stream: false)).Status);
        Assert.Equal(2, asked);
        _server.Answer = (context, _) =>
        {
            context.Abort();
            return Task.CompletedTask;
        };
        var (status, body, retryAfter) = await AskAsync(stream: true);
        Assert.Equal((HttpStatusCode.ServiceUnavailable, "unavailable", 2d), (status, CodeOf(body), retryAfter?.TotalSeconds));
        await CheckRecoveryAsync();
    }

    [Fact]
    public async Task A_server_that_is_gone_is_away_for_now()
    {
        await _server.DisposeAsync();
        var (status, body, retryAfter) = await AskAsync(stream: true);
        Assert.Equal((HttpStatusCode.ServiceUnavailable, "unavailable", 2d), (status, CodeOf(body), retryAfter?.TotalSeconds));
        await Wait.UntilAsync(() => _worker.ActiveSlots == 0);
    }

    private async Task CheckBrokenStreamAsync(string code, string? timeout = null)
    {
        var (status, body, _) = await AskAsync(stream: true, timeout, isBroken: true);
        Assert.Equal(HttpStatusCode.OK, status);
        var events = body.Split("\n\n", StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(2, events.Length);
        Assert.Contains("\"content\":\"Hi\"", events[0], StringComparison.Ordinal);
        Assert.Equal(code, CodeOf(events[1]["data: ".Length..]));
    }

    /// <summary>The engine has one slot: it must be free, and the next request be answered.</summary>
    private async Task CheckRecoveryAsync()
    {
        await Wait.UntilAsync(() => _worker.ActiveSlots == 0);
        _server.Answer = (context, _) => context.Response.WriteAsync(Good);
        Assert.Equal(HttpStatusCode.OK, (await AskAsync(stream: false)).Status);
    }

    private async Task<(HttpStatusCode Status, string Body, TimeSpan? RetryAfter)> AskAsync(
        bool stream, string? timeout = null, bool isBroken = false)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri("/v1/chat/completions", UriKind.Relative))
        {
            Content = new StringContent(
                $$"""{"model":"m","messages":[{"role":"user","content":"Hi"}],"stream":{{(stream ? "true" : "false")}}}""", Encoding.UTF8,
                "application/json"),
        };
        if (timeout is not null)
        {
            request.Headers.Add("x-request-timeout", timeout);
        }

        using var response = await _worker.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        return (
            response.StatusCode, isBroken ? await ApiHost.ReadTruncatedAsync(response) : await response.Content.ReadAsStringAsync(),
            response.Headers.RetryAfter?.Delta);
    }

    private static string? CodeOf(string body)
    {
        using var error = JsonDocument.Parse(body);
        return error.RootElement.GetProperty("error").GetProperty("code").GetString();
    }
}
