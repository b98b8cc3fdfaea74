using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace AgentPlatform.AppHost.Broker;

/// <summary>Finds ports of this machine that no process listens on.</summary>
internal static class FreePorts
{
    /// <summary>Returns three different ports, which are bound at the same time while they are chosen.</summary>
    public static (int First, int Second, int Third) TakeThree()
    {
        using var first = Listen();
        using var second = Listen();
        using var third = Listen();
        return (Port(first), Port(second), Port(third));
    }

    /// <summary>Formats a port for a setting.</summary>
    public static string Text(int port) => port.ToString(CultureInfo.InvariantCulture);

    private static Socket Listen()
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return socket;
    }

    private static int Port(Socket socket) => ((IPEndPoint)socket.LocalEndPoint!).Port;
}
