using System.ClientModel;
using System.Net;
using AgentPlatform.Inference;
using System.Text;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using OpenAI;
using OpenAI.Chat;
using static AgentPlatform.Tests.Api.FakeInference;

namespace AgentPlatform.Tests.Api.Connections;

/// <summary>A stream that failed in the middle must not look complete to anybody, and still says why.</summary>
public sealed class TruncationTests
{
    private const string Path = "/v1/chat/completions";
    private const string Streamed = """{"model":"tiny","stream":true,"messages":[{"role":"user","content":"Hi"}]}""";
    private const string LastChunk = "\r\n0\r\n\r\n";
    private const string Event =
        "data: {\"error\":{\"message\":\"Broke.\",\"type\":\"server_error\",\"param\":null,\"code\":\"engine_error\"}}\n\n";
    private static readonly TimeSpan _limit = TimeSpan.FromMinutes(1);

    [Theory]
    [InlineData("")]
    [InlineData("Idempotency-Key: k")]
    [InlineData("x-stream-resume: true")]
    public async Task A_failed_stream_ends_after_its_error_event_without_the_last_chunk_and_without_a_reset(string header)
    {
        await using var host = await ApiHost.StartAsync();
        host.Inference.Answer = (_, _) => FailAfter(InferenceError.EngineFailed("Broke."), Text("a"));
        for (var i = 0; i < 20; i++)
        {
            using var connection = await RawConnection.OpenAsync(host.Client.BaseAddress!);
            await connection.PostAsync(Path, Streamed, header.Length == 0 ? [] : [header]);
            var (text, isReset) = await connection.ReadToEndAsync();
            Assert.False(isReset);
            Assert.EndsWith($"{Event}\r\n", text, StringComparison.Ordinal);
            Assert.DoesNotContain(LastChunk, text, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_good_stream_ends_with_the_last_chunk_and_the_connection_stays()
    {
        await using var host = await ApiHost.StartAsync();
        host.Inference.Answer = (_, _) => Parts(Text("a", "stop"), End());
        using var connection = await RawConnection.OpenAsync(host.Client.BaseAddress!);
        for (var i = 0; i < 2; i++)
        {
            await connection.PostAsync(Path, Streamed);
            Assert.Contains("data: [DONE]\n\n", await connection.ReadUntilAsync(LastChunk), StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("deadline")]
    [InlineData("drain")]
    [InlineData("unhandled")]
    public async Task So_ends_a_stream_for_any_other_reason(string reason)
    {
        await using var host = await ApiHost.StartAsync(("Stopping:DrainTimeout", "00:00:20"));
        host.Inference.Answer = (_, token) => reason == "unhandled"
            ? Parts(Text("a"), Delta("no object"), End())
            : Gated(new TaskCompletionSource().Task, [Text("a")], [], token);
        using var connection = await RawConnection.OpenAsync(host.Client.BaseAddress!);
        await connection.PostAsync(Path, Streamed, "x-request-timeout: 10");
        Task? stopped = null;
        if (reason != "unhandled")
        {
            await connection.ReadUntilAsync("\n\n\r\n");
            stopped = reason == "drain" ? host.StopAsync() : null;
            host.Time.Advance(TimeSpan.FromSeconds(reason == "drain" ? 20 : 10));
        }

        var (text, isReset) = await connection.ReadToEndAsync();
        Assert.False(isReset);
        Assert.Contains("data: {\"error\":", text, StringComparison.Ordinal);
        Assert.EndsWith("}}\n\n\r\n", text, StringComparison.Ordinal);
        await (stopped ?? Task.CompletedTask);
    }

    [Fact]
    public async Task OpenAIs_client_for_NET_throws()
    {
        await using var host = await ApiHost.StartAsync();
        host.Inference.Answer = (_, _) => FailAfter(InferenceError.EngineFailed("Broke."), Text("a"), Text("b"));
        var client = new ChatClient(
            "tiny", new ApiKeyCredential("none"), new OpenAIClientOptions { Endpoint = new Uri(host.Client.BaseAddress!, "/v1") });
        var text = "";
        await Assert.ThrowsAsync<HttpIOException>(async () =>
        {
            await foreach (var update in client.CompleteChatStreamingAsync([new UserChatMessage("Hi")]))
            {
                text += string.Concat(update.ContentUpdate.Select(part => part.Text));
            }
        });
        Assert.Equal("ab", text);
    }

    [Fact]
    public async Task In_HTTP2_the_stream_is_reset_after_its_error_event_was_read_and_the_connection_stays()
    {
        await using var host = await ApiHost.StartAsync(services => services.Configure<KestrelServerOptions>(
            server => server.Listen(IPAddress.Loopback, 0, endpoint => endpoint.Protocols = HttpProtocols.Http2)));
        host.Inference.Answer = (_, _) => FailAfter(InferenceError.EngineFailed("Broke."), Text("a"));
        using var client = new HttpClient { BaseAddress = host.Client.BaseAddress };
        for (var i = 0; i < 20; i++)
        {
            using var message = new HttpRequestMessage(HttpMethod.Post, Path)
            {
                Content = new StringContent(Streamed, Encoding.UTF8, "application/json"),
                Version = HttpVersion.Version20,
                VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            };
            using var response = await client.SendAsync(message, HttpCompletionOption.ResponseHeadersRead);
            await using var stream = await response.Content.ReadAsStreamAsync();
            var (text, buffer) = ("", new byte[8192]);
            while (!text.EndsWith(Event, StringComparison.Ordinal))
            {
                var count = await stream.ReadAsync(buffer).AsTask().WaitAsync(_limit);
                Assert.True(count > 0, $"The stream ended well after: {text}");
                text += Encoding.UTF8.GetString(buffer, 0, count);
            }

            var end = stream.ReadAsync(buffer).AsTask();
            await Wait.UntilAsync(() =>
            {
                host.Time.Advance(TimeSpan.FromSeconds(1));
                return Task.FromResult(end.IsCompleted);
            });
            await Assert.ThrowsAnyAsync<HttpIOException>(() => end);
        }
    }

    [Fact]
    public async Task In_HTTP2_a_client_that_leaves_at_the_event_is_not_waited_for()
    {
        await using var host = await ApiHost.StartAsync(services => services.Configure<KestrelServerOptions>(
            server => server.Listen(IPAddress.Loopback, 0, endpoint => endpoint.Protocols = HttpProtocols.Http2)));
        host.Inference.Answer = (_, _) => FailAfter(InferenceError.EngineFailed("Broke."), Text("a"));
        using var client = new HttpClient { BaseAddress = host.Client.BaseAddress };
        using (var message = new HttpRequestMessage(HttpMethod.Post, Path)
        {
            Content = new StringContent(Streamed, Encoding.UTF8, "application/json"),
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
        })
        using (await client.SendAsync(message, HttpCompletionOption.ResponseHeadersRead))
        {
        }

        await Wait.UntilAsync(() => host.Get<AgentPlatform.Api.Requests.RequestBodies>().Held == 0);
    }
}
