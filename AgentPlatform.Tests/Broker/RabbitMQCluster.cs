using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using AgentPlatform.Testing.Broker;

namespace AgentPlatform.Tests.Broker;

/// <summary>
/// Three nodes that are one broker, found by their names as the chart's are, behind one address that leads to a node that is ready, as a
/// Service of Kubernetes does.
/// </summary>
internal sealed class RabbitMQCluster : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly HashSet<ClusterNode> _away = [];
    private readonly int _epmdPort = RabbitMQNode.FreePort();
    private readonly Process _epmd;
    private int _turn;

    private RabbitMQCluster()
    {
        var start = TiedProcess.StartInfo("epmd", "-address", "127.0.0.1", "-port", $"{_epmdPort}");
        _epmd = Process.Start(start)!;
        Nodes = [.. Enumerable.Range(0, 3).Select(_ => new ClusterNode(this))];
        _listener.Start();
        _ = ForwardAsync();
    }

    public IReadOnlyList<ClusterNode> Nodes { get; }

    public string ConnectionString => $"amqp://guest:guest@{_listener.LocalEndpoint}";

    public static async Task<RabbitMQCluster> StartAsync()
    {
        var cluster = new RabbitMQCluster();
        await Task.WhenAll(cluster.Nodes.Select(node => node.BeginAsync()));

        await cluster.Nodes[0].SeesAllAsync();
        return cluster;
    }

    public async ValueTask DisposeAsync()
    {
        _listener.Stop();
        await Task.WhenAll(Nodes.Select(node => node.DisposeAsync().AsTask()));
        _epmd.Kill(entireProcessTree: true);
        _epmd.Dispose();
    }

    private async Task ForwardAsync()
    {
        while (true)
        {
            TcpClient client;
            try
            {
                client = await _listener.AcceptTcpClientAsync();
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                return;
            }

            _ = ForwardAsync(client);
        }
    }

    private async Task ForwardAsync(TcpClient client)
    {
        using var from = client;
        using var to = new TcpClient();
        try
        {
            await to.ConnectAsync(IPAddress.Loopback, NextPort());
            await Task.WhenAny(from.GetStream().CopyToAsync(to.GetStream()), to.GetStream().CopyToAsync(from.GetStream()));
        }
        catch (Exception e) when (e is SocketException or IOException or InvalidOperationException)
        {
            // Whoever wanted there tries again.
        }
    }

    private int NextPort()
    {
        lock (_away)
        {
            var ready = Nodes.Where(node => !_away.Contains(node)).ToList();
            return ready.Count == 0 ? 1 : ready[_turn++ % ready.Count].ClientPort;
        }
    }

    private void Set(ClusterNode node, bool isAway)
    {
        lock (_away)
        {
            _ = isAway ? _away.Add(node) : _away.Remove(node);
        }
    }

    /// <summary>One of them.</summary>
    public sealed class ClusterNode : RabbitMQNode
    {
        private readonly RabbitMQCluster _cluster;

        internal ClusterNode(RabbitMQCluster cluster) => _cluster = cluster;

        public int ClientPort => Port;

        protected override string Configuration =>
            $"{RefuseDeprecated}cluster_formation.peer_discovery_backend = classic_config\ncluster_partition_handling = pause_minority\n"
                + "net_ticktime = 15\n"
            + string.Concat(
                _cluster.Nodes.Select((node, index) => $"cluster_formation.classic_config.nodes.{index + 1} = {node.NodeName}\n"));

        protected override int EpmdPort => _cluster._epmdPort;

        protected override bool HasOwnEpmd => false;

        /// <summary>Starts it with what the nodes have in common.</summary>
        public async Task BeginAsync()
        {
            var cookie = Path.Combine(Home, ".erlang.cookie");
            if (!File.Exists(cookie))
            {
                await File.WriteAllTextAsync(cookie, "COOKIE");
                if (!OperatingSystem.IsWindows())
                {
                    File.SetUnixFileMode(cookie, UnixFileMode.UserRead | UnixFileMode.UserWrite);
                }
            }

            await StartAsync();
            _cluster.Set(this, isAway: false);
        }

        /// <summary>Ends it as a power failure would; nobody is led to it any more.</summary>
        public async Task LoseAsync()
        {
            _cluster.Set(this, isAway: true);
            await KillAsync();
        }

        /// <summary>Freezes it; nobody new is led to it.</summary>
        public async Task StallAsync()
        {
            _cluster.Set(this, isAway: true);
            await FreezeAsync();
        }

        /// <summary>
        /// Lets it go on, and waits until it is one of three again: frozen for so long that the others took it for gone, it finds itself
        /// in the minority, pauses and comes back. Somebody is led to it, and the next one may be lost, only then.
        /// </summary>
        public async Task GoOnAsync()
        {
            await ThawAsync();
            await _cluster.Nodes.First(node => node != this).SeesAllAsync();
            _cluster.Set(this, isAway: false);
        }

        /// <summary>Waits until it knows of all nodes that they run.</summary>
        internal Task SeesAllAsync() => Wait.UntilAsync(async () =>
            (await ControlAsync("-q cluster_status --formatter json")).Split("\"running_nodes\"")[1].Split(']')[0].Split('@').Length == 4);
    }
}
