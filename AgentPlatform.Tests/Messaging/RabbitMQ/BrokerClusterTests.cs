using System.Net;
using System.Text;
using AgentPlatform.Tests.Broker;

namespace AgentPlatform.Tests.Messaging.RabbitMQ;

/// <summary>
/// A broker of three nodes under streams and queued work: each node killed, frozen and started again in turn, then two of them and all.
/// Nothing that was accepted is lost, and everything goes on by itself.
/// </summary>
[Trait("Category", "Broker")]
[Collection(BrokerGroup.Name)]
public sealed class BrokerClusterTests : IDisposable
{
    private const int Clients = 6;
    private const string Body = """{"model":"m","stream":true,"max_tokens":12,"messages":[{"role":"user","content":"Hello"}]}""";

    private static readonly TimeSpan _pause = TimeSpan.FromMilliseconds(50);

    private readonly CancellationTokenSource _end = new();
    private readonly List<string> _broken = [];
    private int _completed;
    private int _refused;

    public void Dispose() => _end.Dispose();

    [Fact]
    public Task Streams_go_on_while_each_node_is_killed_and_started_again_and_nothing_accepted_is_lost() => RunAsync(async cluster =>
    {
        foreach (var node in cluster.Nodes)
        {
            await node.LoseAsync();
            await ProgressAsync();
            await node.BeginAsync();
            await ProgressAsync();
        }

        // The minority that is left takes nothing and keeps everything.
        await Task.WhenAll(cluster.Nodes.Take(2).Select(node => node.LoseAsync()));
        await Task.WhenAll(cluster.Nodes.Take(2).Select(node => node.BeginAsync()));
        await ProgressAsync();
    });

    [Fact(Skip = "Now and then nothing is answered any more while a node is frozen: issue 18, point 9, is open.")]
    public Task Streams_go_on_while_each_node_is_frozen_and_nothing_accepted_is_lost() => RunAsync(async cluster =>
    {
        foreach (var node in cluster.Nodes)
        {
            await node.StallAsync();
            await ProgressAsync();
            await node.GoOnAsync();
            await ProgressAsync();
        }
    });

    private async Task RunAsync(Func<RabbitMQCluster, Task> trouble)
    {
        await using var cluster = await RabbitMQCluster.StartAsync();
        await using var gateway = await ServiceHost.GatewayAsync(
            ("Models:0:Name", "m"), ("ConnectionStrings:messaging", cluster.ConnectionString));
        string[] settings =
        [
            $"ConnectionStrings:messaging={cluster.ConnectionString}", "Engine:Type=simulated", "Model:Name=m", "Engine:Slots=2",
            "Simulated:TimePerToken=00:00:00.02",
        ];
        await using var first = ServiceProcess.Worker(settings);
        await using var second = ServiceProcess.Worker(settings);
        await first.ReadyAsync();
        await second.ReadyAsync();
        await gateway.ReadyAsync();

        // Six clients and four slots: some work always waits in the queue.
        var clients = Enumerable.Range(0, Clients).Select(_ => AskAsync(gateway.Http)).ToList();
        await ProgressAsync();
        await trouble(cluster);
        await _end.CancelAsync();
        await Task.WhenAll(clients).WaitAsync(TimeSpan.FromMinutes(2));

        Assert.Empty(_broken);
        Assert.True(_completed > 10 * Clients, $"{_completed} complete, {_refused} refused");
    }

    // Each client gets some answers more.
    private async Task ProgressAsync()
    {
        var wanted = Volatile.Read(ref _completed) + (2 * Clients);
        var began = TimeProvider.System.GetTimestamp();
        while (Volatile.Read(ref _completed) < wanted)
        {
            Assert.True(
                TimeProvider.System.GetElapsedTime(began) < TimeSpan.FromMinutes(4),
                $"{_completed} of {wanted} complete, {_refused} refused, {string.Join('\n', _broken)}");
            await Task.Delay(_pause, TimeProvider.System);
        }
    }

    // A refusal is no loss, as it says when to come again; what was accepted must come to its end.
    private async Task AskAsync(HttpClient client)
    {
        while (!_end.IsCancellationRequested)
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/chat/completions")
            {
                Content = new StringContent(Body, Encoding.UTF8, "application/json"),
            };
            using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
            var text = await response.Content.ReadAsStringAsync();
            if (response.StatusCode == HttpStatusCode.ServiceUnavailable && response.Headers.RetryAfter is not null)
            {
                Interlocked.Increment(ref _refused);
                await Task.Delay(_pause, TimeProvider.System);
            }
            else if (response.StatusCode == HttpStatusCode.OK && text.TrimEnd().EndsWith("data: [DONE]", StringComparison.Ordinal)
                && !text.Contains("\"error\"", StringComparison.Ordinal))
            {
                Interlocked.Increment(ref _completed);
            }
            else
            {
                lock (_broken)
                {
                    _broken.Add($"{(int)response.StatusCode} {text[^Math.Min(text.Length, 300)..]}");
                }
            }
        }
    }
}
