using System.Diagnostics;
using System.Net;
using System.Text;
using AgentPlatform.Api.Startup;
using AgentPlatform.Tests.Api.Connections;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using static AgentPlatform.Tests.Api.FakeInference;

namespace AgentPlatform.Tests.Api.Edge;

public sealed class EdgeTests
{
    private const string Chat = "/v1/chat/completions";
    private const string Request = """{"model":"tiny","messages":[{"role":"user","content":"Hi"}]}""";

    [Theory]
    [InlineData("https://chat.example.com", true)]
    [InlineData("https://evil.example.com", false)]
    [InlineData("http://localhost:5173", false)]
    public async Task Pages_of_configured_origins_may_call_and_no_others(string origin, bool mayCall)
    {
        await using var host = await ApiHost.StartAsync(("Edge:AllowedOrigins:0", "https://chat.example.com"));
        using var preflight = await SendAsync(
            host, HttpMethod.Options, Chat, ("Origin", origin), ("Access-Control-Request-Method", "POST"),
            ("Access-Control-Request-Headers", "authorization,content-type,x-stainless-os"));
        Assert.Equal(HttpStatusCode.NoContent, preflight.StatusCode);
        Assert.Equal(mayCall ? origin : null, Single(preflight, "Access-Control-Allow-Origin"));
        Assert.Equal(mayCall ? "authorization,content-type,x-stainless-os" : null, Single(preflight, "Access-Control-Allow-Headers"));

        using var refused = await host.PostAsync(Chat, "{}"u8.ToArray(), default, ("Origin", origin));
        Assert.Equal(HttpStatusCode.BadRequest, refused.StatusCode);
        Assert.Equal(mayCall ? origin : null, Single(refused, "Access-Control-Allow-Origin"));
        Assert.Equal(mayCall, Single(refused, "Access-Control-Expose-Headers")?.Contains("x-request-id", StringComparison.Ordinal) == true);
    }

    [Fact]
    public async Task By_default_no_page_may_call_and_a_local_runs_are_those_of_its_machine()
    {
        await using var host = await ApiHost.StartAsync();
        using var refused = await SendAsync(host, HttpMethod.Get, "/v1/models", ("Origin", "http://localhost:5173"));
        Assert.Null(Single(refused, "Access-Control-Allow-Origin"));

        await using var local = await ApiHost.StartAsync(("Edge:AllowLoopbackOrigins", "true"));
        (string Origin, bool MayCall)[] origins =
            [("http://localhost:5173", true), ("http://127.0.0.1:80", true), ("http://localhost.example.com", false), ("null", false)];
        foreach (var (origin, mayCall) in origins)
        {
            using var response = await SendAsync(local, HttpMethod.Get, "/v1/models", ("Origin", origin));
            Assert.Equal(mayCall ? origin : null, Single(response, "Access-Control-Allow-Origin"));
        }
    }

    [Theory]
    [InlineData("/", "GET, HEAD, OPTIONS")]
    [InlineData(Chat, "POST, OPTIONS")]
    [InlineData("/v1/models", "GET, HEAD, OPTIONS")]
    [InlineData("/analyze", "POST, OPTIONS")]
    public async Task OPTIONS_says_what_is_allowed_and_405_too(string path, string allowed)
    {
        await using var host = await ApiHost.StartAsync();
        using var options = await SendAsync(host, HttpMethod.Options, path);
        Assert.Equal((HttpStatusCode.NoContent, allowed), (options.StatusCode, string.Join(", ", options.Content.Headers.Allow)));
        using var put = await SendAsync(host, HttpMethod.Put, path);
        Assert.Equal((HttpStatusCode.MethodNotAllowed, allowed), (put.StatusCode, string.Join(", ", put.Content.Headers.Allow)));
    }

    [Fact]
    public async Task OPTIONS_of_the_server_as_a_whole_is_answered()
    {
        await using var host = await ApiHost.StartAsync();
        using var connection = await RawConnection.OpenAsync(host.Client.BaseAddress!);
        await connection.SendAsync("OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n");
        var answer = await connection.ReadUntilAsync("\r\n\r\n");
        Assert.StartsWith("HTTP/1.1 204", answer, StringComparison.Ordinal);
        Assert.Contains("Allow: GET, HEAD, POST, OPTIONS", answer, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/")]
    [InlineData("/v1/models")]
    [InlineData("/v1/models/tiny")]
    [InlineData("/v1/models/none")]
    [InlineData("/openapi/v1.json")]
    [InlineData("/health")]
    public async Task HEAD_is_GET_without_the_body(string path)
    {
        await using var host = await ApiHost.StartAsync();
        using var get = await SendAsync(host, HttpMethod.Get, path);
        using var head = await SendAsync(host, HttpMethod.Head, path);
        Assert.Equal((get.StatusCode, get.Content.Headers.ContentType), (head.StatusCode, head.Content.Headers.ContentType));
        Assert.Empty(await head.Content.ReadAsByteArrayAsync());
    }

    [Theory]
    [InlineData("localhost", true)]
    [InlineData("localhost:8080", true)]
    [InlineData("app.dev.localhost", true)]
    [InlineData("192.168.1.7:8080", true)]
    [InlineData("[::1]:8080", true)]
    [InlineData("evil.example.com", false)]
    [InlineData("localhost.example.com", false)]
    public async Task A_name_that_is_not_the_services_is_refused(string name, bool isServed)
    {
        await using var host = await ApiHost.StartAsync(("Edge:AllowedHosts:0", "localhost"), ("Edge:AllowedHosts:1", "*.localhost"));
        using var response = await SendAsync(host, HttpMethod.Get, "/v1/models", ("Host", name));
        Assert.Equal(isServed ? HttpStatusCode.OK : HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Equal(!isServed, (await response.Content.ReadAsStringAsync()).Contains("host_not_allowed", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_strangers_trace_is_linked_to_and_its_baggage_dropped_unless_callers_are_trusted(bool isTrusted)
    {
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == "Microsoft.AspNetCore",
            Sample = (ref _) => ActivitySamplingResult.AllDataAndRecorded,
        };
        ActivitySource.AddActivityListener(listener);
        await using var host = await ApiHost.StartAsync(("Edge:TrustTraceContext", isTrusted ? "true" : "false"));
        Activity? seen = null;
        host.Inference.Answer = (_, _) =>
        {
            seen = Activity.Current;
            return Parts(Result("""{"choices":[]}"""));
        };
        const string Trace = "0af7651916cd43dd8448eb211c80319c";
        using var response = await host.PostAsync(
            Chat, Encoding.UTF8.GetBytes(Request), default, ("traceparent", $"00-{Trace}-b7ad6b7169203331-01"), ("baggage", "secret=1"));
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal(isTrusted, seen!.TraceId.ToString() == Trace);
        Assert.Equal(isTrusted ? "1" : null, seen.GetBaggageItem("secret"));
        Assert.Equal(isTrusted ? [] : [Trace], seen.Links.Select(link => link.Context.TraceId.ToString()));
    }

    [Theory]
    [InlineData("127.0.0.1", true)]
    [InlineData("127.0.0.0/8", true)]
    [InlineData("10.0.0.0/8", false)]
    [InlineData(null, false)]
    public async Task Forwarded_headers_count_from_configured_proxies_only(string? proxy, bool isTrusted)
    {
        var seen = new TaskCompletionSource<(string Address, string Scheme, string Host)>();
        (string, string)[] settings = proxy is null ? [] : [("Edge:TrustedProxies:0", proxy)];
        var sight = new RequestSight(seen);
        await using var host = await ApiHost.StartAsync(services => services.AddSingleton<IStartupFilter>(sight), settings);
        using var response = await SendAsync(
            host, HttpMethod.Get, "/v1/models",
            ("X-Forwarded-For", "203.0.113.7"), ("X-Forwarded-Proto", "https"), ("X-Forwarded-Host", "evil.example.com"));
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal(isTrusted ? ("203.0.113.7", "https", "127.0.0.1") : ("127.0.0.1", "http", "127.0.0.1"), await seen.Task);
    }

    [Theory]
    [InlineData("Edge:AllowedOrigins:0", "chat.example.com")]
    [InlineData("Edge:AllowedOrigins:0", "https://chat.example.com/")]
    [InlineData("Edge:AllowedHosts:0", "http://localhost")]
    [InlineData("Edge:TrustedProxies:0", "proxy")]
    public async Task A_setting_that_means_nothing_is_named(string key, string value)
    {
        var mistake = await Assert.ThrowsAsync<OptionsValidationException>(() => ApiHost.StartAsync((key, value)));
        Assert.StartsWith($"{key[..^2]} holds '{value}'", StartupMistake.Explain(mistake), StringComparison.Ordinal);
    }

    private static string? Single(HttpResponseMessage response, string header) =>
        response.Headers.TryGetValues(header, out var values) ? string.Join(',', values) : null;

    private static async Task<HttpResponseMessage> SendAsync(
        ApiHost host, HttpMethod method, string path, params (string Name, string Value)[] headers)
    {
        using var message = new HttpRequestMessage(method, new Uri(path, UriKind.Relative));
        foreach (var (name, value) in headers)
        {
            message.Headers.TryAddWithoutValidation(name, value);
        }

        return await host.Client.SendAsync(message);
    }

    /// <summary>What a request looks like to whatever comes behind the edge.</summary>
    private sealed class RequestSight(TaskCompletionSource<(string Address, string Scheme, string Host)> seen) : IStartupFilter
    {
        public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
        {
            app.Use(async (context, rest) =>
            {
                await rest(context);
                var address = context.Connection.RemoteIpAddress?.MapToIPv4();
                seen.TrySetResult(($"{address}", context.Request.Scheme, context.Request.Host.Host));
            });
            next(app);
        };
    }
}
