using System.Net;
using System.Net.Sockets;

namespace AgentPlatform.Tests;

/// <summary>
/// An address that swallows packets, as that of a pod that is gone: attempts to connect get no answer, not even a refusal. The system drops
/// them, since as many connections wait to be accepted as may.
/// </summary>
internal sealed class SilentAddress : IDisposable
{
    private static readonly TimeSpan _answer = TimeSpan.FromMilliseconds(500);

    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly List<Socket> _waiting = [];

    private SilentAddress() => _listener.Start(backlog: 0);

    public IPEndPoint Endpoint => (IPEndPoint)_listener.LocalEndpoint;

    public static async Task<SilentAddress> StartAsync()
    {
        var address = new SilentAddress();
        while (true)
        {
            var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
            address._waiting.Add(socket);
            try
            {
                await socket.ConnectAsync(address.Endpoint).WaitAsync(_answer);
            }
            catch (TimeoutException)
            {
                return address;
            }
        }
    }

    public void Dispose()
    {
        _waiting.ForEach(socket => socket.Dispose());
        _listener.Dispose();
    }
}
