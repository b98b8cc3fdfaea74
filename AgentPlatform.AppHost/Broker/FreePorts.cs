using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace AgentPlatform.AppHost.Broker;

/// <summary>Ports of this machine that nothing listens on.</summary>
internal static class FreePorts
{
    /// <summary>Three different ones; they are held at the same time while they are chosen.</summary>
    public static (int First, int Second, int Third) TakeThree()
    {
        using var first = Listen();
        using var second = Listen();
        using var third = Listen();
        return (Port(first), Port(second), Port(third));
    }

    /// <summary>A port as a setting.</summary>
    public static string Text(int port) => port.ToString(CultureInfo.InvariantCulture);

    private static Socket Listen()
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return socket;
    }

    private static int Port(Socket socket) => ((IPEndPoint)socket.LocalEndPoint!).Port;
}
