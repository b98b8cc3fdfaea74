using System.Collections.Concurrent;
using System.Net;
using System.Text;
using System.Text.Json;
using AgentPlatform.Inference;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using static AgentPlatform.Tests.Api.FakeInference;

namespace AgentPlatform.Tests.Api.Errors;

public sealed class UnhandledExceptionTests
{
    [Fact]
    public async Task An_unhandled_exception_is_500_and_tells_nothing_of_the_inside()
    {
        await using var host = await ApiHost.StartAsync();
        host.Inference.Answer = (_, _) => throw new NotSupportedException("secret");
        using var response = await host.PostAsync(
            "/v1/chat/completions", """{"model":"tiny","messages":[{"role":"user","content":"Hi"}]}""");
        var body = await response.Content.ReadAsStringAsync();
        Assert.Equal(HttpStatusCode.InternalServerError, response.StatusCode);
        Assert.StartsWith("""{"error":{"message":""", body, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", body, StringComparison.Ordinal);
        Assert.True(response.Headers.Contains("x-request-id"));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task After_the_first_token_it_is_one_event_and_no_good_end(bool badPart)
    {
        await using var host = await ApiHost.StartAsync();
        host.Inference.Answer = (_, _) => badPart ? Parts(Text("a"), Delta("no object"), End()) : Breaking(Text("a"));
        using var response = await host.PostAsync(
            "/v1/chat/completions", """{"model":"tiny","stream":true,"messages":[{"role":"user","content":"Hi"}]}""");
        var events = (await ApiHost.ReadTruncatedAsync(response)).Split("\n\n");

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal(3, events.Length);
        Assert.Contains("\"content\":\"a\"", events[0], StringComparison.Ordinal);
        Assert.StartsWith("data: {\"error\":{\"message\":", events[1], StringComparison.Ordinal);
        Assert.EndsWith("\"code\":\"internal_error\"}}", events[1], StringComparison.Ordinal);
        Assert.DoesNotContain("secret", events[1], StringComparison.Ordinal);
        Assert.Empty(events[2]);
    }

    [Theory]
    [InlineData("/invoke", """{"messages":[{"role":"user","content":"Hi"}]}""")]
    [InlineData("/analyze", """{"text":"Hi"}""")]
    public async Task On_the_other_routes_it_is_a_problem_that_tells_nothing_of_the_inside(string path, string body)
    {
        await using var host = await ApiHost.StartAsync();
        host.Inference.Answer = (_, _) => Breaking(Started);
        using var response = await host.PostAsync(path, body);
        var text = await response.Content.ReadAsStringAsync();
        Assert.Equal(HttpStatusCode.InternalServerError, response.StatusCode);
        Assert.Equal("application/problem+json", response.Content.Headers.ContentType!.MediaType);
        Assert.Contains("\"code\":\"internal_error\"", text, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task In_a_batch_it_is_an_error_in_its_place_and_a_log_record_with_the_exception_and_the_neighbours_are_answered()
    {
        var log = new FailureLog();
        await using var host = await ApiHost.StartAsync(services => services.AddSingleton<ILoggerProvider>(log));
        host.Inference.Answer = (request, _) => Encoding.UTF8.GetString(request.Body.Span) switch
        {
            var body when body.Contains("thrown", StringComparison.Ordinal) => throw new NotSupportedException("secret"),
            var body when body.Contains("breaks", StringComparison.Ordinal) => Breaking(Started),
            var body when body.Contains("malformed", StringComparison.Ordinal) => Parts(Result("no object")),
            var body when body.Contains("gives up", StringComparison.Ordinal) => throw new OperationCanceledException("secret"),
            _ => Parts(Result("""{"choices":[]}""")),
        };
        string[] texts = ["first", "thrown", "breaks", "malformed", "gives up", "last"];
        var items = texts.Select(text => $$"""{"messages":[{"role":"user","content":"{{text}}"}]}""");
        using var response = await host.PostAsync("/batch", $"[{string.Join(',', items)}]");
        var text = await response.Content.ReadAsStringAsync();

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.DoesNotContain("secret", text, StringComparison.Ordinal);
        using var json = JsonDocument.Parse(text);
        Assert.Equal(
            ["", "internal_error", "internal_error", "internal_error", "internal_error", ""],
            json.RootElement.EnumerateArray()
                .Select(item => item.TryGetProperty("error", out var error) ? error.GetProperty("code").GetString() : ""));
        Assert.Equal(
            [nameof(FormatException), nameof(NotSupportedException), nameof(NotSupportedException), nameof(OperationCanceledException)],
            log.Failures.Select(failure => failure.GetType().Name).Order(StringComparer.Ordinal));
    }

    private static async IAsyncEnumerable<ReplyPart> Breaking(ReplyPart first)
    {
        await Task.Yield();
        yield return first;
        throw new NotSupportedException("secret");
    }

    /// <summary>Keeps the exceptions that were logged as errors.</summary>
    private sealed class FailureLog : ILoggerProvider, ILogger
    {
        public ConcurrentQueue<Exception> Failures { get; } = [];

        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Error;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (IsEnabled(logLevel) && exception is not null)
            {
                Failures.Enqueue(exception);
            }
        }

        public void Dispose()
        {
        }
    }
}
