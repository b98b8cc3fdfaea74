using System.Net;
using System.Net.Sockets;
using System.Text;

namespace AgentPlatform.Benchmarks.Chaos.Clients;

/// <summary>How a client sends a request that it does not mean to end.</summary>
/// <param name="Name">How the report calls it.</param>
/// <param name="Announced">Bytes of the body that its head tells of; null if not even the head ends.</param>
/// <param name="AtOnce">Bytes of it that come at once.</param>
/// <param name="BytesPerSecond">What comes from then on.</param>
/// <param name="Limit">When the server is to have ended it.</param>
internal sealed record SendingManner(string Name, int? Announced, int AtOnce, int BytesPerSecond, TimeSpan Limit);

/// <summary>What came of it.</summary>
/// <param name="Status">What the server answered; 0 if it closed the connection without a word, or left it open.</param>
/// <param name="Length">How long the connection was open.</param>
/// <param name="IsEnded">Whether the server ended it, before its client gave up.</param>
internal sealed record SendingEnd(int Status, TimeSpan Length, bool IsEnded);

/// <summary>Clients that hold a connection, and what it costs, by sending almost nothing.</summary>
internal static class SlowSenders
{
    private static readonly TimeSpan _interval = TimeSpan.FromSeconds(0.25);

    // Later than any limit, so that a connection that stays open is noticed.
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(20);

    /// <summary>Sends until the server ends it.</summary>
    public static async Task<SendingEnd> SendAsync(int port, SendingManner manner)
    {
        using var patience = new CancellationTokenSource(manner.Limit + _patience, TimeProvider.System);
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(patience.Token);
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(new IPEndPoint(IPAddress.Loopback, port), CancellationToken.None);
        var began = TimeProvider.System.GetTimestamp();
        var sending = SendAsync(socket, port, manner, ended.Token);
        var status = await ReadStatusAsync(socket, patience.Token);
        var length = TimeProvider.System.GetElapsedTime(began);
        await ended.CancelAsync();
        await sending;
        return new SendingEnd(status ?? 0, length, status is not null);
    }

    private static async Task SendAsync(Socket socket, int port, SendingManner manner, CancellationToken ended)
    {
        var head = $"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost:{port}\r\nContent-Type: application/json\r\n"
            + (manner.Announced is { } announced ? $"Content-Length: {announced}\r\n\r\n" : "x-padding: ");
        var piece = new byte[manner.BytesPerSecond / 4];
        Array.Fill(piece, (byte)'a');
        try
        {
            await socket.SendAsync(Encoding.ASCII.GetBytes(head), ended);
            await socket.SendAsync(new byte[manner.AtOnce], ended);
            while (true)
            {
                await Task.Delay(_interval, TimeProvider.System, ended);
                await socket.SendAsync(piece, ended);
            }
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException)
        {
            // The server ended it, or left it open for too long.
        }
    }

    /// <summary>The status of the answer, 0 for a connection that ended without one, null for one that did not end.</summary>
    private static async Task<int?> ReadStatusAsync(Socket socket, CancellationToken patience)
    {
        // HTTP/1.1 408 Request Timeout
        var line = new byte[12];
        var length = 0;
        try
        {
            while (length < line.Length && await socket.ReceiveAsync(line.AsMemory(length), patience) is > 0 and var read)
            {
                length += read;
            }
        }
        catch (SocketException)
        {
            // Reset.
        }
        catch (OperationCanceledException)
        {
            return null;
        }

        return length == line.Length && int.TryParse(Encoding.ASCII.GetString(line, 9, 3), out var status) ? status : 0;
    }
}
