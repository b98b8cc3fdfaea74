using System.Net.Sockets;
using System.Text;

namespace AgentPlatform.Tests.Api.Connections;

/// <summary>A connection without a client in between: what is sent and what arrives are bytes.</summary>
internal sealed class RawConnection : IDisposable
{
    private static readonly TimeSpan _limit = TimeSpan.FromMinutes(1);

    private readonly Socket _socket = new(SocketType.Stream, ProtocolType.Tcp);

    public static async Task<RawConnection> OpenAsync(Uri address, int receiveBuffer = 0)
    {
        var connection = new RawConnection();
        if (receiveBuffer > 0)
        {
            connection._socket.ReceiveBufferSize = receiveBuffer;
        }

        await connection._socket.ConnectAsync(address.Host, address.Port);
        return connection;
    }

    /// <summary>A request with a JSON body and further header lines.</summary>
    public Task PostAsync(string path, string json, params string[] headers) => SendAsync(
        $"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: "
            + $"{Encoding.UTF8.GetByteCount(json)}\r\n" +
        $"{string.Concat(headers.Select(header => $"{header}\r\n"))}\r\n{json}");

    public async Task SendAsync(string text) => await _socket.SendAsync(Encoding.UTF8.GetBytes(text));

    /// <summary>All that arrives until the other side ends the connection, in good order or by a reset.</summary>
    public async Task<(string Text, bool IsReset)> ReadToEndAsync()
    {
        var text = new StringBuilder();
        var buffer = new byte[8192];
        while (true)
        {
            try
            {
                var count = await _socket.ReceiveAsync(buffer).WaitAsync(_limit);
                if (count == 0)
                {
                    return (text.ToString(), false);
                }

                text.Append(Encoding.UTF8.GetString(buffer, 0, count));
            }
            catch (SocketException e) when (e.SocketErrorCode == SocketError.ConnectionReset)
            {
                return (text.ToString(), true);
            }
        }
    }

    /// <summary>What has arrived once it ends with <paramref name="end"/>.</summary>
    public async Task<string> ReadUntilAsync(string end)
    {
        var text = new StringBuilder();
        var buffer = new byte[8192];
        while (!text.ToString().EndsWith(end, StringComparison.Ordinal))
        {
            var count = await _socket.ReceiveAsync(buffer).WaitAsync(_limit);
            Assert.True(count > 0, $"The connection ended after: {text}");
            text.Append(Encoding.UTF8.GetString(buffer, 0, count));
        }

        return text.ToString();
    }

    /// <summary>Waits for the first bytes.</summary>
    public async Task ReadSomeAsync() => Assert.True(await _socket.ReceiveAsync(new byte[16]).WaitAsync(_limit) > 0);

    public void Dispose() => _socket.Dispose();
}
