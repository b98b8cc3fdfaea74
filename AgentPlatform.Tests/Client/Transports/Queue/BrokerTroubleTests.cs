using System.Text;
using AgentPlatform.Inference;
using AgentPlatform.Messaging.Asking;
using AgentPlatform.Messaging.Broker;
using AgentPlatform.Testing.Broker;
using AgentPlatform.Tests.Broker;
using AgentPlatform.Tests.Worker;
using Microsoft.Extensions.Options;

namespace AgentPlatform.Tests.Client.Transports.Queue;

/// <summary>A gateway and a worker, and what can happen to the queues between them while a stream runs.</summary>
[Trait("Category", "Broker")]
[Collection(BrokerGroup.Name)]
public sealed class BrokerTroubleTests(RabbitMQServer server)
{
    private const string Body = """{"model":"m","stream":true,"messages":[{"role":"user","content":"Hi"}]}""";
    private const string WholeAnswer = "a b c d ";
    private static readonly TimeSpan _limit = TimeSpan.FromMinutes(1);

    private readonly string _version = Guid.NewGuid().ToString("N");

    private string Queue => QueueNames.Job("m", _version);

    [Fact]
    public async Task A_stream_goes_on_when_the_reply_queue_is_deleted()
    {
        await using var platform = await StartAsync();
        await platform.BeginAsync();
        await DeleteAsync(platform.ReplyQueue);
        Assert.Equal(WholeAnswer, await platform.FinishAsync());
    }

    [Fact]
    public async Task A_stream_goes_on_when_the_job_queue_is_deleted()
    {
        await using var platform = await StartAsync();
        await platform.BeginAsync();
        await DeleteAsync(Queue);
        Assert.Equal(WholeAnswer, await platform.FinishAsync());
    }

    [Fact]
    public async Task A_request_that_waited_in_a_deleted_queue_is_answered()
    {
        await using var platform = await StartAsync(slots: 1);
        await platform.BeginAsync();
        using var waiting = new StringContent(Body, Encoding.UTF8, "application/json");
        var second = platform.Client.PostAsync(new Uri("/v1/chat/completions", UriKind.Relative), waiting);
        await Wait.UntilAsync(async () => await CountAsync(Queue) == 1);
        await DeleteAsync(Queue);
        Assert.Equal(WholeAnswer, await platform.FinishAsync());
        Assert.Equal(WholeAnswer, await platform.FinishAsync(second));
    }

    [Fact]
    public async Task A_gateway_that_comes_back_and_finds_the_messages_of_its_requests_gone_issues_them_again()
    {
        var broker = new UriBuilder(server.ConnectionString);
        await using var network = new TcpProxy(broker.Port);
        broker.Port = network.Port;
        await using var platform = await StartAsync(slots: 1, broker.Uri.ToString());
        using var sent = new CounterListener("AgentPlatform.Messaging", "messaging.client.sent.messages", Queue);
        await platform.BeginAsync();
        using var waiting = new StringContent(Body, Encoding.UTF8, "application/json");
        var second = platform.Client.PostAsync(new Uri("/v1/chat/completions", UriKind.Relative), waiting);
        await Wait.UntilAsync(async () => sent.Total == 2 && await CountAsync(Queue) == 1);
        network.Stall();
        await using (var connection = await server.ConnectAsync())
        await using (var channel = await connection.CreateChannelAsync())
        {
            await channel.QueuePurgeAsync(Queue);
        }

        network.Reset();
        network.Resume();
        Assert.Equal(WholeAnswer, await platform.FinishAsync());
        Assert.Equal(WholeAnswer, await platform.FinishAsync(second));
    }

    [Fact]
    public async Task While_the_broker_is_short_of_memory_requests_are_refused_or_wait_and_streams_go_on_after_it()
    {
        await using var platform = await StartAsync();
        await platform.BeginAsync();
        await server.ControlAsync("set_vm_memory_high_watermark 0");
        try
        {
            await platform.BlockedForLongerThanALeaseAsync();
        }
        finally
        {
            await server.ControlAsync("set_vm_memory_high_watermark 0.4");
        }

        Assert.Equal(WholeAnswer, await platform.FinishAsync());
    }

    private async Task<Platform> StartAsync(int slots = 2, string? broker = null)
    {
        var engine = new ScriptedEngine();
        var worker = await ServiceHost.WorkerAsync(
            engine, ("ConnectionStrings:messaging", server.ConnectionString), ("Model:Version", _version), ("Engine:Slots", $"{slots}"));
        await worker.ReadyAsync();
        var gateway = await ServiceHost.GatewayAsync(
            ("Models:0:Name", "m"), ("Models:0:Version", _version), ("ConnectionStrings:messaging", broker ?? server.ConnectionString));
        await gateway.ReadyAsync();
        return new Platform(gateway, worker, engine);
    }

    private async Task DeleteAsync(string queue)
    {
        await using var connection = await server.ConnectAsync();
        await using var channel = await connection.CreateChannelAsync();
        await channel.QueueDeleteAsync(queue, ifUnused: false, ifEmpty: false);
    }

    private async Task<uint> CountAsync(string queue)
    {
        await using var connection = await server.ConnectAsync();
        await using var channel = await connection.CreateChannelAsync();
        return await channel.MessageCountAsync(queue);
    }

    /// <summary>
    /// One stream through a gateway and a worker whose engine says what the test lets it say; a run that begins anew says it all again.
    /// </summary>
    private sealed class Platform(ServiceHost gateway, ServiceHost worker, ScriptedEngine engine) : IAsyncDisposable
    {
        private readonly List<string> _given = [];
        private ScriptedEngine.Run? _run;
        private Task<ScriptedEngine.Run>? _next;
        private Task<HttpResponseMessage>? _response;

        public HttpClient Client => gateway.Http;

        public string ReplyQueue => gateway.Get<ReplyReceiver>().Address;

        /// <summary>
        /// Waits until the broker has taken nothing from the worker for longer than a lease. It tells those that publish.
        /// </summary>
        public async Task BlockedForLongerThanALeaseAsync()
        {
            var state = worker.Get<BrokerState>();
            await Wait.UntilAsync(() => state.IsBlocked);
            var (began, lease) = (TimeProvider.System.GetTimestamp(), gateway.Get<IOptions<AskingOptions>>().Value.LeaseTimeout);
            await Wait.UntilAsync(() => TimeProvider.System.GetElapsedTime(began) > lease);
            Assert.True(state.IsBlocked);
        }

        /// <summary>Sends a request and gives the first half of its answer.</summary>
        public async Task BeginAsync()
        {
            var body = new StringContent(Body, Encoding.UTF8, "application/json");
            _response = Client.PostAsync(new Uri("/v1/chat/completions", UriKind.Relative), body);
            await GiveAsync("a");
            await GiveAsync("b");
        }

        /// <summary>Gives the rest, of this request or of another one, and reads the client's text.</summary>
        public async Task<string> FinishAsync(Task<HttpResponseMessage>? another = null)
        {
            _response = another ?? _response;
            foreach (var part in WholeAnswer.Split(' ', StringSplitOptions.RemoveEmptyEntries).Skip(_given.Count))
            {
                await GiveAsync(part);
            }

            await EndAsync();
            using var response = await _response!.WaitAsync(_limit);
            var body = await response.Content.ReadAsStringAsync();
            Assert.EndsWith("data: [DONE]\n\n", body, StringComparison.Ordinal);
            return string.Concat(body.Split("\"text\":\"")[1..].Select(rest => rest[..2]));
        }

        private async Task GiveAsync(string part)
        {
            _run ??= await NextAsync();
            _given.Add($$"""{"text":"{{part}} "}""");
            _run.Give(ReplyKind.Delta, _given[^1]);
        }

        /// <summary>Ends the run, and each that stands in for it, until none follows.</summary>
        private async Task EndAsync()
        {
            while (true)
            {
                _run!.Give(ReplyKind.End);
                _next ??= engine.NextAsync();
                if (await Task.WhenAny(_next, _response!).WaitAsync(_limit) == _response)
                {
                    _run = null;
                    _given.Clear();
                    return;
                }

                _run = await NextAsync();
                _given.ForEach(part => _run.Give(ReplyKind.Delta, part));
            }
        }

        private async Task<ScriptedEngine.Run> NextAsync()
        {
            _next ??= engine.NextAsync();
            var run = await _next;
            _next = null;
            return run;
        }

        public async ValueTask DisposeAsync()
        {
            await worker.DisposeAsync();
            await gateway.DisposeAsync();
        }
    }
}
