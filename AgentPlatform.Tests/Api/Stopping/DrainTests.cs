using System.Net;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using static AgentPlatform.Tests.Api.FakeInference;

namespace AgentPlatform.Tests.Api.Stopping;

public sealed class DrainTests
{
    private const string Chat = "/v1/chat/completions";
    private const string Streamed = """{"model":"tiny","stream":true,"messages":[{"role":"user","content":"Hi"}]}""";
    private const string Whole = """{"model":"tiny","messages":[{"role":"user","content":"Hi"}]}""";
    private static readonly TimeSpan _limit = TimeSpan.FromMinutes(1);

    [Fact]
    public async Task While_it_listens_a_stopping_process_is_not_ready_and_answers_and_closes_the_connections()
    {
        await using var host = await ApiHost.StartAsync(("Stopping:DrainTimeout", "00:00:20"), ("Stopping:ListenTime", "00:00:10"));
        var gate = new TaskCompletionSource();
        host.Inference.Answer = (request, token) => request.Stream
            ? Gated(gate.Task, [Text("a")], [Text("b", "stop"), End()], token)
            : Parts(Result("""{"choices":[]}"""));
        using var running = await host.PostAsync(Chat, Streamed);
        using (var ready = await host.Client.GetAsync(new Uri("/health", UriKind.Relative)))
        {
            Assert.Equal(HttpStatusCode.OK, ready.StatusCode);
            Assert.NotEqual(true, ready.Headers.ConnectionClose);
        }

        var stopped = host.StopAsync();
        using var notReady = await host.Client.GetAsync(new Uri("/health", UriKind.Relative));
        Assert.Equal(HttpStatusCode.ServiceUnavailable, notReady.StatusCode);
        Assert.True(notReady.Headers.ConnectionClose);
        using var served = await host.PostAsync(Chat, Whole);
        Assert.Equal(HttpStatusCode.OK, served.StatusCode);
        Assert.True(served.Headers.ConnectionClose);
        await served.Content.ReadAsStringAsync();

        host.Time.Advance(TimeSpan.FromSeconds(10));
        await Wait.UntilAsync(async () => !await IsListeningAsync(host));
        Assert.False(stopped.IsCompleted);
        gate.SetResult();
        Assert.EndsWith("data: [DONE]\n\n", await running.Content.ReadAsStringAsync().WaitAsync(_limit), StringComparison.Ordinal);
        await stopped.WaitAsync(_limit);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task What_outlasts_the_drain_ends_with_one_error(bool stream)
    {
        await using var host = await ApiHost.StartAsync(("Stopping:DrainTimeout", "00:00:20"));
        var running = new TaskCompletionSource();
        host.Inference.Answer = (_, token) =>
        {
            running.SetResult();
            return Gated(new TaskCompletionSource().Task, stream ? [Text("a")] : [Started], [], token);
        };
        var sent = host.PostAsync(Chat, stream ? Streamed : Whole);
        await running.Task.WaitAsync(_limit);
        if (stream)
        {
            await sent;
        }

        var stopped = host.StopAsync();
        host.Time.Advance(TimeSpan.FromSeconds(19));
        Assert.False(stopped.IsCompleted);
        host.Time.Advance(TimeSpan.FromSeconds(1));
        using var response = await sent.WaitAsync(_limit);
        var text = stream ? await ApiHost.ReadTruncatedAsync(response) : await response.Content.ReadAsStringAsync().WaitAsync(_limit);
        await stopped.WaitAsync(_limit);
        Assert.Equal(stream ? HttpStatusCode.OK : HttpStatusCode.ServiceUnavailable, response.StatusCode);
        Assert.Equal(stream ? null : TimeSpan.FromSeconds(1), response.Headers.RetryAfter?.Delta);
        Assert.Contains("\"code\":\"unavailable\"", text, StringComparison.Ordinal);
        Assert.DoesNotContain("[DONE]", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Services_stop_after_the_last_request()
    {
        var service = new Service();
        await using var host = await ApiHost.StartAsync(services => services.AddSingleton<IHostedService>(service));
        var gate = new TaskCompletionSource();
        host.Inference.Answer = (_, token) => Gated(gate.Task, [Text("a")], [Text("b", "stop"), End()], token);
        using var running = await host.PostAsync(Chat, Streamed);
        var stopped = host.StopAsync();
        await Wait.UntilAsync(async () => !await IsListeningAsync(host));
        Assert.False(service.Stopping.Task.IsCompleted);
        gate.SetResult();
        Assert.EndsWith("data: [DONE]\n\n", await running.Content.ReadAsStringAsync().WaitAsync(_limit), StringComparison.Ordinal);
        await service.Stopping.Task.WaitAsync(_limit);
        await stopped.WaitAsync(_limit);
    }

    [Fact]
    public async Task Listening_longer_than_the_drain_is_a_mistake()
    {
        var wrong = await Assert.ThrowsAsync<OptionsValidationException>(
            () => ApiHost.StartAsync(("Stopping:DrainTimeout", "00:00:01"), ("Stopping:ListenTime", "00:00:02")));
        Assert.Equal(
            "Stopping:ListenTime must not be longer than Stopping:DrainTimeout.", AgentPlatform.Api.Startup.StartupMistake.Explain(wrong));
    }

    private static async Task<bool> IsListeningAsync(ApiHost host)
    {
        using var client = new System.Net.Sockets.TcpClient();
        try
        {
            await client.ConnectAsync(host.Client.BaseAddress!.Host, host.Client.BaseAddress.Port);
            return true;
        }
        catch (System.Net.Sockets.SocketException)
        {
            return false;
        }
    }

    /// <summary>Something that requests need, such as the connection to the broker.</summary>
    private sealed class Service : IHostedService
    {
        public TaskCompletionSource Stopping { get; } = new();

        public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken)
        {
            Stopping.SetResult();
            return Task.CompletedTask;
        }
    }
}
