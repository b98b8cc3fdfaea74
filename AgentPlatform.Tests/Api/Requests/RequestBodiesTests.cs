using System.Net;
using System.Net.Sockets;
using System.Text;
using AgentPlatform.Api.Requests;
using AgentPlatform.Tests.Messaging;
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

        using var message = new HttpRequestMessage(HttpMethod.Post, new Uri(Chat, UriKind.Relative)) { Content = new StringContent(Body(40_000), Encoding.UTF8, "application/json") };
        message.Headers.TransferEncodingChunked = chunked;
        using var refused = await host.Client.SendAsync(message);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, refused.StatusCode);
        Assert.Equal(TimeSpan.FromSeconds(1), refused.Headers.RetryAfter!.Delta);
        Assert.Single(host.Inference.Requests);

        gate.SetResult();
        Assert.Equal(HttpStatusCode.OK, (await first).StatusCode);
        using var next = await host.PostAsync(Chat, Body(40_000));
        Assert.Equal(HttpStatusCode.OK, next.StatusCode);
        await Side.UntilAsync(() => Task.FromResult(host.Get<RequestBodies>().Held == 0));
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
        await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes($"POST {Chat} HTTP/1.1\r\nHost: x\r\nContent-Length: 40000\r\n\r\n"));
        using var reader = new StreamReader(client.GetStream());
        Assert.Equal("HTTP/1.1 503 Service Unavailable", await reader.ReadLineAsync().WaitAsync(TimeSpan.FromMinutes(1)));

        await leave.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
        await Side.UntilAsync(() => Task.FromResult(host.Get<RequestBodies>().Held == 0));
    }

    private static string Body(int length)
    {
        const string Opening = """{"model":"tiny","messages":[{"role":"user","content":"Hi"}],"pad":""";
        return $"{Opening}\"{new string('x', length - Opening.Length - 3)}\"}}";
    }
}
