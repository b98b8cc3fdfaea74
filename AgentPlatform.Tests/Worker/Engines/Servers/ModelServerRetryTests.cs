using System.Net;
using AgentPlatform.Worker.Engines.Servers;

namespace AgentPlatform.Tests.Worker.Engines.Servers;

public sealed class ModelServerRetryTests
{
    private readonly PausesOf _time = new();

    [Fact]
    public async Task While_there_is_no_connection_it_is_tried_again_after_ever_longer_pauses()
    {
        var server = new Server(HttpRequestError.ConnectionError, HttpRequestError.ConnectionError, null);
        Assert.Equal(HttpStatusCode.OK, (await SendAsync(server)).StatusCode);
        Assert.Equal([250, 500], _time.Pauses);
        Assert.Equal(["body", "body", "body"], server.Bodies);
    }

    [Fact]
    public async Task A_server_that_stays_away_is_given_up()
    {
        var server = new Server([.. Enumerable.Repeat<HttpRequestError?>(HttpRequestError.ConnectionError, 9)]);
        await Assert.ThrowsAsync<HttpRequestException>(() => SendAsync(server));
        Assert.Equal([250, 500, 1000], _time.Pauses);
    }

    [Fact]
    public async Task A_connection_that_the_server_had_closed_is_replaced_at_once_and_once()
    {
        Assert.Equal(HttpStatusCode.OK, (await SendAsync(new Server(HttpRequestError.ResponseEnded, null))).StatusCode);
        var server = new Server(HttpRequestError.ResponseEnded, HttpRequestError.ResponseEnded, null);
        await Assert.ThrowsAsync<HttpRequestException>(() => SendAsync(server));
        Assert.Equal(2, server.Bodies.Count);
        Assert.Empty(_time.Pauses);
    }

    [Theory]
    [InlineData(HttpRequestError.InvalidResponse)]
    [InlineData(HttpRequestError.SecureConnectionError)]
    public async Task What_would_fail_again_is_not_repeated(HttpRequestError error)
    {
        var server = new Server(error, null);
        await Assert.ThrowsAsync<HttpRequestException>(() => SendAsync(server));
        Assert.Single(server.Bodies);
    }

    [Fact]
    public async Task A_caller_that_leaves_ends_the_pause()
    {
        using var leave = new CancellationTokenSource();
        using var http = new HttpClient(
            new ModelServerRetry(
                TimeProvider.System) { InnerHandler = new Server(HttpRequestError.ConnectionError, null) { Asked = leave.Cancel } });
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => http.GetAsync(new Uri("http://gpu"), leave.Token));
    }

    private async Task<HttpResponseMessage> SendAsync(Server server)
    {
        using var http = new HttpClient(new ModelServerRetry(_time) { InnerHandler = server });
        return await http.PostAsync(new Uri("http://gpu/v1/chat/completions"), new StringContent("body"));
    }

    /// <summary>A server that fails as it is told, then answers.</summary>
    private sealed class Server(params HttpRequestError?[] errors) : HttpMessageHandler
    {
        public List<string> Bodies { get; } = [];

        public Action? Asked { get; init; }

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            Bodies.Add(request.Content is null ? "" : await request.Content.ReadAsStringAsync(cancellationToken));
            Asked?.Invoke();
            return errors[Bodies.Count - 1] is { } error
                ? throw new HttpRequestException(error)
                : new HttpResponseMessage(HttpStatusCode.OK);
        }
    }

    /// <summary>Time whose pauses are over at once.</summary>
    private sealed class PausesOf : TimeProvider
    {
        public List<double> Pauses { get; } = [];

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            Pauses.Add(dueTime.TotalMilliseconds);
            return base.CreateTimer(callback, state, TimeSpan.Zero, period);
        }
    }
}
