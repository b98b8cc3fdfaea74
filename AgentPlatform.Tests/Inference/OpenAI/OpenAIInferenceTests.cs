using System.Collections.Concurrent;
using System.Text;
using System.Text.Json;
using AgentPlatform.Inference;
using AgentPlatform.Inference.OpenAI;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace AgentPlatform.Tests.Inference.OpenAI;

public sealed class OpenAIInferenceTests : IAsyncLifetime, IDisposable
{
    private const string First =
        """data: {"id":"x","object":"chat.completion.chunk","created":1,"model":"m","system_fingerprint":"f","choices":[{"index":"""
            + """0,"delta":{"content":"Hü"},"finish_reason":null}],"usage":null}""" + "\n\n";
    private const string Last = """data: {"id":"x","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}""" + "\n\n";
    private const string Usage = """data: {"id":"x","choices":[],"usage":{"total_tokens":3}}""" + "\n\n";
    private const string Done = "data: [DONE]\n\n";
    private const string FirstPart =
        """Delta {"system_fingerprint":"f","choices":[{"index":0,"delta":{"content":"Hü"},"finish_reason":null}]}""";
    private const string LastPart = """Delta {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}""";

    private readonly HttpClient _http = new() { Timeout = Timeout.InfiniteTimeSpan };
    private readonly UpstreamLog _log = new();
    private UpstreamServer _server = null!;

    public async Task InitializeAsync() => _server = await UpstreamServer.StartAsync();

    public Task DisposeAsync() => _server.DisposeAsync().AsTask();

    public void Dispose() => _http.Dispose();

    [Fact]
    public async Task A_stream_passes_parts_without_their_envelope()
    {
        _server.Answer = UpstreamServer.Stream(First, Last, Usage, Done);
        Assert.Equal([FirstPart, LastPart, """End {"total_tokens":3}"""], await StreamAsync());
        var (path, body) = Assert.Single(_server.Requests);
        Assert.Equal("/v1/chat/completions", path);
        Assert.Equal("""{"x":[1],"model":"up/stream","stream":true}""", body);
    }

    [Theory]
    [InlineData("\n")]
    [InlineData("\r\n")]
    [InlineData("\r")]
    public async Task A_stream_is_the_same_however_it_is_cut(string lineEnd)
    {
        var bytes = Encoding.UTF8.GetBytes(
            (": hello\n\nevent: x\nid: 1\n" + First + ":\n\n" + Last.Replace("data: ", "data:", StringComparison.Ordinal) + Usage + Done)
                .Replace("\n", lineEnd, StringComparison.Ordinal));
        _server.Answer = async (context, _) =>
        {
            context.Response.ContentType = "text/event-stream; charset=utf-8";
            foreach (var one in bytes)
            {
                await context.Response.Body.WriteAsync(new[] { one });
                await context.Response.Body.FlushAsync();
            }
        };
        Assert.Equal([FirstPart, LastPart, """End {"total_tokens":3}"""], await StreamAsync());
    }

    [Fact]
    public async Task A_stream_that_ends_without_done_is_complete_only_after_a_finish_reason()
    {
        _server.Answer = UpstreamServer.Stream(First, Last);
        Assert.Equal([FirstPart, LastPart, "End "], await StreamAsync());

        _server.Answer = UpstreamServer.Stream(First);
        Assert.Equal(502, (await FailureAsync([FirstPart])).Status);
    }

    [Fact]
    public async Task A_stream_that_is_reset_is_a_failure_after_its_parts()
    {
        var read = new TaskCompletionSource();
        _server.Answer = async (context, body) =>
        {
            await UpstreamServer.Stream(First)(context, body);
            await read.Task;
            context.Abort();
        };
        await using var parts = Inference().RunAsync(UpstreamServer.Request("{}", stream: true), CancellationToken.None)
            .GetAsyncEnumerator();
        Assert.True(await parts.MoveNextAsync().AsTask().WaitAsync(TimeSpan.FromMinutes(1)));
        read.SetResult();
        var failure = await Assert.ThrowsAsync<InferenceException>(() => parts.MoveNextAsync().AsTask().WaitAsync(TimeSpan.FromMinutes(1)));
        Assert.Equal(502, failure.Error.Status);
    }

    [Theory]
    [InlineData("""data: {"error":{"message":"Out of memory.","type":"x"}}""")]
    [InlineData("event: error\ndata: {\"error\":\"Out of memory.\"}")]
    public async Task An_error_event_of_a_stream_is_its_failure(string @event)
    {
        _server.Answer = UpstreamServer.Stream(First, @event + "\n\n", Done);
        Assert.Equal(
            (502, "The server of model 'tiny' failed."), (await FailureAsync([FirstPart]) is var error ? error.Status : 0, error.Message));
        Assert.Contains(_log.Lines, line => line == (LogLevel.Debug, "The server of model 'tiny' says: Out of memory."));
    }

    [Theory]
    [InlineData("data: nonsense\n\n")]
    [InlineData("data: {\"choices\":7}\n\n")]
    [InlineData("data: []\n\n")]
    public async Task Nonsense_in_a_stream_is_a_failure(string piece)
    {
        _server.Answer = UpstreamServer.Stream(piece, Done);
        Assert.Equal(502, (await FailureAsync([])).Status);
    }

    [Theory]
    [InlineData(401, 502, null, "API key")]
    [InlineData(403, 502, null, "API key")]
    [InlineData(404, 502, null, "404")]
    [InlineData(400, 400, null, "'messages'")]
    [InlineData(422, 400, null, "'messages'")]
    [InlineData(429, 429, 9, "limit")]
    [InlineData(500, 503, 9, "500")]
    [InlineData(503, 503, 9, "503")]
    [InlineData(302, 502, null, "302")]
    public async Task A_status_gets_its_meaning(int status, int expected, int? retryAfter, string says)
    {
        _server.Answer = async (context, _) =>
        {
            context.Response.StatusCode = status;
            context.Response.Headers.RetryAfter = "9";
            await context.Response.WriteAsync("""{"error":{"message":"Too long.","code":400,"param":"messages"}}""");
        };
        foreach (var stream in new[] { true, false })
        {
            var error = await FailureAsync([], stream);
            Assert.Equal((expected, retryAfter), (error.Status, error.RetryAfterSeconds));
            Assert.Contains(says, error.Message, StringComparison.Ordinal);
        }
    }

    [Theory]
    // llama.cpp
    [InlineData(
        """{"error":{"code":400,"message":"request (2412 tokens) exceeds the available context size (512 """
            + """tokens)","type":"exceed_context_size_error","n_prompt_tokens":2412,"n_ctx":512}}""",
        "context_length_exceeded")]
    // vLLM
    [InlineData(
        """{"error":{"message":"This model's maximum context length is 512 tokens.","type":"BadRequestError","param":null,"code":400}}""",
        "context_length_exceeded")]
    [InlineData("""{"error":{"message":"No.","type":"invalid_request_error","code":"content_filter"}}""", "content_filter")]
    [InlineData("""{"error":{"message":"No.","code":400}}""", null)]
    public async Task A_refusal_has_the_code_that_OpenAI_gives_it(string body, string? code)
    {
        _server.Answer = (context, _) =>
        {
            context.Response.StatusCode = 400;
            return context.Response.WriteAsync(body);
        };
        Assert.Equal((400, code), (await FailureAsync([]) is var error ? error.Status : 0, error.Code));
    }

    // Words of OpenAI's and other servers' errors that tell of the platform's account there.
    [Theory]
    [InlineData(
        400,
        """{"error":{"message":"The model `ft:gpt-4o:acme::9x` does not support """
            + """this.","type":"invalid_request_error","code":"org_acme","param":"https://acme.example/?key=sk-9"}}""")]
    [InlineData(400, """{"error":{"message":"Unknown model ft:gpt-4o:acme::9x","code":"model_not_found","param":"model"}}""")]
    [InlineData(401, """{"error":{"message":"Incorrect API key provided: sk-acme-9x. See https://platform.example/acme."}}""")]
    [InlineData(404, """{"error":{"message":"Project proj_acme has no access to ft:gpt-4o:acme::9x","code":"acme"}}""")]
    [InlineData(413, """{"message":"POST https://acme.example/v1/chat/completions: too large"}""")]
    [InlineData(429, """{"error":{"message":"Rate limit reached for gpt-4o in organization org-acme on tokens per min.","code":"acme"}}""")]
    [InlineData(500, """{"detail":"acme: out of credit"}""")]
    [InlineData(418, """{"error":"acme"}""")]
    public async Task What_a_server_says_of_the_platforms_account_reaches_no_client_and_the_log_if_it_is_for_whoever_runs_it(
        int status, string body)
    {
        _server.Answer = (context, _) =>
        {
            context.Response.StatusCode = status;
            return context.Response.WriteAsync(body);
        };
        foreach (var stream in new[] { true, false })
        {
            var error = JsonSerializer.Serialize(await FailureAsync([], stream));
            Assert.DoesNotContain("acme", error, StringComparison.OrdinalIgnoreCase);
            Assert.DoesNotContain("up/stream", error, StringComparison.Ordinal);
        }

        // What may quote a prompt is for debugging only.
        var told = _log.Lines.Where(line => line.Level > LogLevel.Debug && line.Text.Contains("acme", StringComparison.Ordinal));
        Assert.Equal(status is 401 or 404 or 429, told.Any(line => !line.Text.Contains("(code org_acme)", StringComparison.Ordinal)));
        Assert.Contains(_log.Lines, line => line.Text.Contains("acme", StringComparison.Ordinal));
    }

    [Fact]
    public async Task An_error_event_and_members_of_an_answer_tell_nothing_of_the_account_either()
    {
        _server.Answer = UpstreamServer.Stream(First, """data: {"error":{"message":"Organization org-acme is out of credit."}}""" + "\n\n");
        Assert.DoesNotContain("acme", (await FailureAsync([FirstPart])).Message, StringComparison.Ordinal);

        _server.Answer = UpstreamServer.Stream(
            """data: {"model":"ft:acme","organization":"org-acme","project":"acme","choices":[{"index":0,"delta":{}"""
                + ""","finish_reason":"stop"}]}""" + "\n\n",
            Done);
        Assert.DoesNotContain("acme", string.Concat(await StreamAsync()), StringComparison.Ordinal);

        _server.Answer = (context, _) => context.Response.WriteAsync("""{"model":"ft:acme","organization":"org-acme","choices":[1]}""");
        var parts = new List<string>();
        await ReadAsync(Inference(), UpstreamServer.Request("{}"), parts);
        Assert.Equal(["""Result {"choices":[1]}"""], parts);
    }

    [Fact]
    public async Task A_server_that_is_away_is_503()
    {
        var inference = new OpenAIInference(_http, new OpenAIEndpoint(new Uri("http://127.0.0.1:9/v1"), "m"));
        var failure = await Assert.ThrowsAsync<InferenceException>(() => ReadAsync(inference, UpstreamServer.Request("{}"), []));
        Assert.Equal((503, 2), (failure.Error.Status, failure.Error.RetryAfterSeconds));
    }

    [Fact]
    public async Task A_whole_answer_loses_its_envelope_only()
    {
        _server.Answer = (context, _) => context.Response.WriteAsync(
            """{"id":"x", "object":"chat.completion","created":1,"choices":[1], "model":"m","usage":{"total_tokens":3},"extra":"ü" }""");
        var parts = new List<string>();
        await ReadAsync(Inference(), UpstreamServer.Request("{}"), parts);
        Assert.Equal(["""Result {"choices":[1],"usage":{"total_tokens":3},"extra":"ü"}"""], parts);
        Assert.Equal("""{"model":"up/stream"}""", Assert.Single(_server.Requests).Body);

        _server.Answer = (context, _) => context.Response.WriteAsync("<html>");
        Assert.Equal(502, (await FailureAsync([], stream: false)).Status);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_whole_answer_that_is_too_large_is_502_and_not_read_to_its_end(bool announced)
    {
        var left = new TaskCompletionSource();
        _server.Answer = (context, _) => SendForEverAsync(context, announced ? UpstreamContent.MaxAnswerSize + 1 : null, left);
        var error = await FailureAsync([], stream: false);
        Assert.Equal(502, error.Status);
        Assert.Contains($"larger than {UpstreamContent.MaxAnswerSize} bytes", error.Message, StringComparison.Ordinal);
        await left.Task.WaitAsync(TimeSpan.FromMinutes(1));
    }

    [Fact]
    public async Task Of_an_error_that_does_not_end_the_beginning_is_read()
    {
        var left = new TaskCompletionSource();
        _server.Answer = (context, _) =>
        {
            context.Response.StatusCode = 500;
            return SendForEverAsync(context, length: null, left);
        };
        Assert.Equal(503, (await FailureAsync([], stream: false)).Status);
        await left.Task.WaitAsync(TimeSpan.FromMinutes(1));
    }

    [Fact]
    public async Task A_cancelled_stream_frees_the_servers_slot()
    {
        var left = new TaskCompletionSource();
        _server.Answer = async (context, body) =>
        {
            context.RequestAborted.Register(left.SetResult);
            await UpstreamServer.Stream(First)(context, body);
            await left.Task;
        };
        using var cancel = new CancellationTokenSource();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            await foreach (var part in Inference().RunAsync(UpstreamServer.Request("{}", stream: true), cancel.Token))
            {
                await cancel.CancelAsync();
            }
        });
        await left.Task.WaitAsync(TimeSpan.FromMinutes(1));
    }

    private static async Task SendForEverAsync(HttpContext context, long? length, TaskCompletionSource left)
    {
        context.Response.ContentLength = length;
        context.RequestAborted.Register(left.SetResult);
        var piece = new byte[64 * 1024];
        try
        {
            while (!context.RequestAborted.IsCancellationRequested)
            {
                await context.Response.Body.WriteAsync(piece, context.RequestAborted);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or InvalidOperationException)
        {
            // The client left, or the announced length is sent.
        }

        await left.Task;
    }

    private OpenAIInference Inference() => new(_http, new OpenAIEndpoint(new Uri(_server.Address, "/v1/"), "up/stream", "key"));

    private async Task<List<string>> StreamAsync()
    {
        var parts = new List<string>();
        await ReadAsync(Inference(), UpstreamServer.Request("""{"x":[1],"model":"tiny","stream":true}""", stream: true), parts);
        return parts;
    }

    private async Task<InferenceError> FailureAsync(string[] before, bool stream = true)
    {
        using var http = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false });
        var parts = new List<string>();
        var inference = new OpenAIInference(http, new OpenAIEndpoint(new Uri(_server.Address, "/v1"), "up/stream", "key"), _log);
        var failure = await Assert.ThrowsAsync<InferenceException>(() => ReadAsync(inference, UpstreamServer.Request("{}", stream), parts));
        Assert.Equal(before, parts);
        return failure.Error;
    }

    private static async Task ReadAsync(OpenAIInference inference, InferenceRequest request, List<string> parts)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(1), TimeProvider.System);
        await foreach (var part in inference.RunAsync(request, limit.Token))
        {
            parts.Add($"{part.Kind} {Encoding.UTF8.GetString(part.Payload.Span)}");
        }
    }

    private sealed class UpstreamLog : ILogger<OpenAIInference>
    {
        public ConcurrentQueue<(LogLevel Level, string Text)> Lines { get; } = new();

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            Lines.Enqueue((logLevel, formatter(state, exception)));
    }
}
