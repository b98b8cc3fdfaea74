using System.Net;
using System.Net.Sockets;
using System.Text;
using AgentPlatform.Api.Requests;
using AgentPlatform.Tests.Api.Connections;
using static AgentPlatform.Tests.Api.FakeInference;

namespace AgentPlatform.Tests.Api.Requests;

public sealed class RequestBodiesTests
{
    private const string Chat = "/v1/chat/completions";
    private static readonly (string, string)[] _limits = [("Api:MaxBodySize", "50000"), ("Api:MaxTotalBodySize", "65536")];

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task What_is_held_for_requests_in_progress_is_bounded_and_given_back(bool chunked)
    {
        await using var host = await ApiHost.StartAsync(_limits);
        var (gate, running) = (new TaskCompletionSource(), new TaskCompletionSource());
        host.Inference.Answer = (_, token) =>
        {
            running.TrySetResult();
            return Gated(gate.Task, [], [Result("""{"choices":[]}""")], token);
        };
        var first = host.PostAsync(Chat, Body(40_000));
        await running.Task.WaitAsync(TimeSpan.FromMinutes(1));
        Assert.Equal(40_000, host.Get<RequestBodies>().Held);

        using var message = new HttpRequestMessage(HttpMethod.Post, new Uri(Chat, UriKind.Relative))
        {
            Content = new StringContent(Body(40_000), Encoding.UTF8, "application/json"),
        };
        message.Headers.TransferEncodingChunked = chunked;
        using var refused = await host.Client.SendAsync(message);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, refused.StatusCode);
        Assert.Equal(TimeSpan.FromSeconds(1), refused.Headers.RetryAfter!.Delta);
        Assert.Single(host.Inference.Requests);

        gate.SetResult();
        Assert.Equal(HttpStatusCode.OK, (await first).StatusCode);
        using var next = await host.PostAsync(Chat, Body(40_000));
        Assert.Equal(HttpStatusCode.OK, next.StatusCode);
        await Wait.UntilAsync(() => host.Get<RequestBodies>().Held == 0);
    }

    [Fact]
    public async Task An_announced_body_is_refused_before_it_is_sent()
    {
        await using var host = await ApiHost.StartAsync(_limits);
        var running = new TaskCompletionSource();
        host.Inference.Answer = (_, token) =>
        {
            running.TrySetResult();
            return Gated(new TaskCompletionSource().Task, [], [], token);
        };
        using var leave = new CancellationTokenSource();
        var first = host.PostAsync(Chat, Body(40_000), leave.Token);
        await running.Task.WaitAsync(TimeSpan.FromMinutes(1));

        using var client = new TcpClient();
        await client.ConnectAsync(host.Client.BaseAddress!.Host, host.Client.BaseAddress.Port);
        await client.GetStream()
            .WriteAsync(
                Encoding.ASCII.GetBytes(
                    $"POST {Chat} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 40000\r\n\r\n"));
        using var reader = new StreamReader(client.GetStream());
        Assert.Equal("HTTP/1.1 503 Service Unavailable", await reader.ReadLineAsync().WaitAsync(TimeSpan.FromMinutes(1)));

        await leave.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
        await Wait.UntilAsync(() => host.Get<RequestBodies>().Held == 0);
    }

    [Fact]
    public async Task What_is_announced_and_not_sent_takes_nobodys_room()
    {
        await using var host = await ApiHost.StartAsync(("Api:MaxBodySize", "10000000"), ("Api:MaxTotalBodySize", "20000000"));
        var slow = new List<RawConnection>();
        for (var i = 0; i < 40; i++)
        {
            var connection = await RawConnection.OpenAsync(host.Client.BaseAddress!);
            await connection.SendAsync(
                $"POST {Chat} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 10000000\r\n\r\n{{");
            slow.Add(connection);
        }

        await Wait.UntilAsync(() => host.Get<RequestBodies>().Held >= 40);
        Assert.True(host.Get<RequestBodies>().Held < 1_000_000);
        using var response = await host.PostAsync(Chat, Body(9_000_000));
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        slow.ForEach(connection => connection.Dispose());
        await Wait.UntilAsync(() => host.Get<RequestBodies>().Held == 0);
    }

    [Fact]
    public async Task Large_bodies_leave_room_for_small_ones()
    {
        await using var host = await ApiHost.StartAsync(("Api:MaxBodySize", "200000"), ("Api:MaxTotalBodySize", "1000000"));
        using var running = new SemaphoreSlim(0);
        var gate = new TaskCompletionSource();
        host.Inference.Answer = (_, token) =>
        {
            running.Release();
            return Gated(gate.Task, [], [Result("""{"choices":[]}""")], token);
        };
        var large = new List<Task<HttpResponseMessage>>();
        for (var i = 0; i < 3; i++)
        {
            large.Add(host.PostAsync(Chat, Body(200_000)));
            await running.WaitAsync(TimeSpan.FromMinutes(1));
        }

        using var refused = await host.PostAsync(Chat, Body(200_000));
        Assert.Equal(HttpStatusCode.ServiceUnavailable, refused.StatusCode);
        var small = host.PostAsync(Chat, Body(60_000));
        await running.WaitAsync(TimeSpan.FromMinutes(1));
        gate.SetResult();
        Assert.Equal(HttpStatusCode.OK, (await small).StatusCode);
        Assert.All(await Task.WhenAll(large), response => Assert.Equal(HttpStatusCode.OK, response.StatusCode));
        await Wait.UntilAsync(() => host.Get<RequestBodies>().Held == 0);
    }

    [Fact]
    public async Task A_body_has_a_deadline_from_its_first_byte_on()
    {
        await using var host = await ApiHost.StartAsync(("Api:MinDataRate", "1"), ("Api:StallTimeout", "00:05:00"));
        using var connection = await RawConnection.OpenAsync(host.Client.BaseAddress!);
        await connection.SendAsync(
            $"POST {Chat} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{{");
        await Wait.UntilAsync(() => host.Get<RequestBodies>().Held > 0);
        host.Time.Advance(TimeSpan.FromMinutes(1));
        var answer = await connection.ReadUntilAsync("}}");
        Assert.StartsWith("HTTP/1.1 408 Request Timeout", answer, StringComparison.Ordinal);
        Assert.Contains("\"code\":\"request_timeout\"", answer, StringComparison.Ordinal);
        Assert.Equal(0, host.Get<RequestBodies>().Held);
    }

    [Fact]
    public async Task A_body_that_trickles_is_given_up_before_that()
    {
        await using var host = await ApiHost.StartAsync(("Api:MinDataRate", "1048576"), ("Api:StallTimeout", "00:00:01.100"));
        using var connection = await RawConnection.OpenAsync(host.Client.BaseAddress!);
        await connection.SendAsync($"POST {Chat} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{{");
        var answer = await connection.ReadUntilAsync("}}");
        Assert.StartsWith("HTTP/1.1 408 Request Timeout", answer, StringComparison.Ordinal);
        Assert.Contains("{\"error\":", answer, StringComparison.Ordinal);
        await Wait.UntilAsync(() => host.Get<RequestBodies>().Held == 0);
    }

    private static string Body(int length)
    {
        const string Opening = """{"model":"tiny","messages":[{"role":"user","content":"Hi"}],"pad":""";
        return $"{Opening}\"{new string('x', length - Opening.Length - 3)}\"}}";
    }
}
