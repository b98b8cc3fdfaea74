using System.Text.Json;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;

namespace AgentPlatform.Tests.Api.Connections;

/// <summary>What the server rejects before there is a request has an error that clients can read, like every other one.</summary>
public sealed class RejectedRequestsTests
{
    private const string Good = "GET /v1/models HTTP/1.1\r\nHost: x\r\n\r\n";

    public static TheoryData<string, int, string> Rejected => new()
    {
        { $"GET / HTTP/1.1\r\nHost: x\r\nx-large: {new string('a', 40_000)}\r\n\r\n", 431, "request_header_fields_too_large" },
        { $"GET / HTTP/1.1\r\nHost: x\r\n{string.Concat(Enumerable.Repeat("x: a\r\n", 101))}\r\n", 431, "request_header_fields_too_large" },
        { $"GET /{new string('a', 9_000)} HTTP/1.1\r\nHost: x\r\n\r\n", 414, "uri_too_long" },
        { "GET / HTTP/1.1\r\n\r\n", 400, "bad_request" },
        { "POST /invoke HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", 400, "bad_request" },
        { "GET / HTTP/1.1\r\nHost: x\r\nx: a\0b\r\n\r\n", 400, "bad_request" },
        { "nonsense\r\n\r\n", 400, "bad_request" },
        { "GET / HTTP/3.7\r\nHost: x\r\n\r\n", 505, "http_version_not_supported" },
    };

    [Theory]
    [MemberData(nameof(Rejected))]
    public async Task What_is_no_request_is_told_so_in_OpenAIs_envelope(string sent, int status, string code)
    {
        await using var host = await ApiHost.StartAsync();
        using var connection = await RawConnection.OpenAsync(host.Client.BaseAddress!);
        await connection.SendAsync(sent);
        Check(await connection.ReadToEndAsync(), status, code, isFutile: true);
    }

    [Fact]
    public async Task Headers_that_do_not_come_are_told_so_too()
    {
        await using var host = await ApiHost.StartAsync(services => services.Configure<KestrelServerOptions>(
            server => server.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(1)));
        using var connection = await RawConnection.OpenAsync(host.Client.BaseAddress!);
        await connection.SendAsync("POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\n");
        Check(await connection.ReadToEndAsync(), 408, "request_timeout", isFutile: false);
    }

    [Fact]
    public async Task The_answers_before_it_on_the_connection_are_whole()
    {
        await using var host = await ApiHost.StartAsync();
        using var connection = await RawConnection.OpenAsync(host.Client.BaseAddress!);
        await connection.SendAsync($"{Good}{Good}nonsense\r\n\r\n");
        var (text, isReset) = await connection.ReadToEndAsync();
        var answers = text.Split("HTTP/1.1 ", StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(["200", "200", "400"], answers.Select(answer => answer[..3]));
        Assert.All(answers[..2], answer => Assert.Contains("\"object\":\"list\"", answer, StringComparison.Ordinal));
        Check(($"HTTP/1.1 {answers[2]}", isReset), 400, "bad_request", isFutile: true);
    }

    [Fact]
    public async Task A_method_that_is_not_allowed_there_keeps_its_header()
    {
        await using var host = await ApiHost.StartAsync();
        using var connection = await RawConnection.OpenAsync(host.Client.BaseAddress!);
        await connection.SendAsync("GET * HTTP/1.1\r\nHost: x\r\n\r\n");
        var answer = await connection.ReadToEndAsync();
        Check(answer, 405, "method_not_allowed", isFutile: true);
        Assert.Contains("Allow: OPTIONS\r\n", answer.Text, StringComparison.Ordinal);
    }

    private static void Check((string Text, bool IsReset) answer, int status, string code, bool isFutile)
    {
        Assert.False(answer.IsReset);
        Assert.StartsWith($"HTTP/1.1 {status} ", answer.Text, StringComparison.Ordinal);
        var end = answer.Text.IndexOf("\r\n\r\n", StringComparison.Ordinal);
        var (head, body) = (answer.Text[..(end + 2)], answer.Text[(end + 4)..]);
        Assert.Contains($"Content-Length: {body.Length}\r\n", head, StringComparison.Ordinal);
        Assert.Contains("Content-Type: application/json\r\n", head, StringComparison.Ordinal);
        Assert.Contains("Connection: close\r\n", head, StringComparison.Ordinal);
        Assert.Equal(isFutile, head.Contains("x-should-retry: false\r\n", StringComparison.Ordinal));
        using var json = JsonDocument.Parse(body);
        var error = json.RootElement.GetProperty("error");
        Assert.Equal(("invalid_request_error", code), (error.GetProperty("type").GetString(), error.GetProperty("code").GetString()));
        Assert.NotEmpty(error.GetProperty("message").GetString()!);
    }
}
