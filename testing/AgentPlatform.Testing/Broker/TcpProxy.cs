using System.Net;
using System.Net.Sockets;

namespace AgentPlatform.Testing.Broker;

/// <summary>Stands between a program and the broker, and does to their connections what networks do.</summary>
/// <remarks>Safe for concurrent use.</remarks>
internal sealed class TcpProxy : IAsyncDisposable
{
    private readonly Lock _lock = new();
    private readonly HashSet<Link> _links = [];
    private readonly CancellationTokenSource _stop = new();
    private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly int _target;
    private readonly Task _accepting;

    // Completed while bytes pass.
    private TaskCompletionSource _open = Opened();

    /// <param name="target">The broker's port on this machine.</param>
    public TcpProxy(int target)
    {
        (_target, Port) = (target, RabbitMQNode.FreePort());
        _listener.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, Port));
        _listener.Listen();
        _accepting = AcceptAsync();
    }

    /// <summary>Address on which the proxy listens.</summary>
    public int Port { get; }

    /// <summary>Resets every connection.</summary>
    public void Reset()
    {
        lock (_lock)
        {
            foreach (var link in _links)
            {
                link.Reset();
            }
        }
    }

    /// <summary>Takes bytes no further, without closing anything; new connections are taken and go unanswered.</summary>
    public void Stall()
    {
        lock (_lock)
        {
            if (_open.Task.IsCompleted)
            {
                _open = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            }
        }
    }

    /// <summary>Lets bytes pass again, those that waited first.</summary>
    public void Resume()
    {
        lock (_lock)
        {
            _open.TrySetResult();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Dispose();
        Resume();
        Reset();
        await _accepting;
        _stop.Dispose();
    }

    private static TaskCompletionSource Opened()
    {
        var open = new TaskCompletionSource();
        open.SetResult();
        return open;
    }

    private Task OpenAsync()
    {
        lock (_lock)
        {
            return _open.Task;
        }
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                _ = RunAsync(new Link(await _listener.AcceptAsync(_stop.Token)));
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // Stopped.
        }
    }

    private async Task RunAsync(Link link)
    {
        lock (_lock)
        {
            _links.Add(link);
        }

        try
        {
            await link.Server.ConnectAsync(new IPEndPoint(IPAddress.Loopback, _target), _stop.Token);
            await Task.WhenAny(CopyAsync(link.Client, link.Server), CopyAsync(link.Server, link.Client));
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // The broker is away: its client is told as the system would.
        }

        lock (_lock)
        {
            _links.Remove(link);
        }

        link.Reset();
    }

    private async Task CopyAsync(Socket from, Socket to)
    {
        var buffer = new byte[16 * 1024];
        try
        {
            while (await from.ReceiveAsync(buffer, _stop.Token) is > 0 and var read)
            {
                await OpenAsync();
                for (var sent = 0; sent < read;)
                {
                    sent += await to.SendAsync(buffer.AsMemory(sent, read - sent), _stop.Token);
                }
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // One side is gone, and the other is told so.
        }
    }

    /// <summary>A connection through the proxy.</summary>
    private sealed class Link(Socket client)
    {
        public Socket Client => client;

        public Socket Server { get; } = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };

        public void Reset()
        {
            foreach (var socket in (Socket[])[client, Server])
            {
                try
                {
                    socket.LingerState = new LingerOption(true, 0);
                }
                catch (Exception e) when (e is SocketException or ObjectDisposedException)
                {
                    // Closed already.
                }

                socket.Dispose();
            }
        }
    }
}
