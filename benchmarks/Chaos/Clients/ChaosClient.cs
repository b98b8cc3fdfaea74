using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;
using AgentPlatform.Testing.Chaos;

namespace AgentPlatform.Benchmarks.Chaos.Clients;

/// <summary>How a client behaves.</summary>
/// <param name="LeaveAfter">Closes the connection after so many events; null to stay.</param>
/// <param name="BytesPerSecond">Reads no faster, through a receive buffer as small as can be; null to read what comes.</param>
/// <param name="Timeout">The deadline that it asks for; null for <see cref="ChaosClient.Deadline"/>.</param>
/// <param name="Leave">Closes the connection when it is cancelled.</param>
internal sealed record ClientManner(
    int? LeaveAfter = null, int? BytesPerSecond = null, TimeSpan? Timeout = null, CancellationToken Leave = default);

/// <summary>
/// Asks a server on this machine over plain sockets, and reads the raw
/// bytes of the answer: no client library hides what is missing in them.
/// </summary>
/// <remarks>Safe for concurrent use.</remarks>
internal sealed class ChaosClient(int port) : IDisposable
{
    /// <summary>What a request gives itself.</summary>
    public static readonly TimeSpan Deadline = TimeSpan.FromSeconds(30);

    // An answer may end with its deadline; what is later than this hangs.
    private static readonly TimeSpan _patience = Deadline + TimeSpan.FromSeconds(10);

    // The server closes what is idle for two minutes.
    private static readonly TimeSpan _longestIdle = TimeSpan.FromSeconds(30);

    private readonly ConcurrentBag<(Socket Socket, long Since)> _idle = [];

    /// <summary>Asks and waits for the end of the answer, good or bad. Never throws because of the server.</summary>
    public async Task<Answer> AskAsync(ChaosRequest request, ClientManner? manner = null, Action<Answer>? onEvents = null)
    {
        var answer = new Answer();
        using var limit = new CancellationTokenSource(_patience, TimeProvider.System);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, manner?.Leave ?? CancellationToken.None);
        var socket = Take(manner);
        try
        {
            if (!socket.Connected)
            {
                await socket.ConnectAsync(new IPEndPoint(IPAddress.Loopback, port), either.Token);
            }

            await socket.SendAsync(Encoding.UTF8.GetBytes(
                $"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost:{port}\r\nContent-Type: application/json\r\n"
                + $"x-request-timeout: {(manner?.Timeout ?? Deadline).TotalSeconds:0}\r\n"
                + $"Content-Length: {Encoding.UTF8.GetByteCount(request.Body)}\r\n\r\n{request.Body}"),
                either.Token);
            await ReadAsync(socket, answer, manner, onEvents, either.Token);
        }
        catch (SocketException)
        {
            // The answer shows that it was cut off.
        }
        catch (OperationCanceledException)
        {
            (answer.IsHung, answer.IsLeft) = (limit.IsCancellationRequested, !limit.IsCancellationRequested);
        }

        if (answer.IsWhole && manner?.BytesPerSecond is null)
        {
            _idle.Add((socket, TimeProvider.System.GetTimestamp()));
        }
        else
        {
            socket.Dispose();
        }

        return answer;
    }

    public void Dispose()
    {
        foreach (var (socket, _) in _idle)
        {
            socket.Dispose();
        }
    }

    private Socket Take(ClientManner? manner)
    {
        while (manner?.BytesPerSecond is null && _idle.TryTake(out var idle))
        {
            if (TimeProvider.System.GetElapsedTime(idle.Since) < _longestIdle)
            {
                return idle.Socket;
            }

            idle.Socket.Dispose();
        }

        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        if (manner?.BytesPerSecond is not null)
        {
            socket.ReceiveBufferSize = 2048;
        }

        return socket;
    }

    private static async Task ReadAsync(
        Socket socket, Answer answer, ClientManner? manner, Action<Answer>? onEvents, CancellationToken cancellationToken)
    {
        var buffer = new byte[manner?.BytesPerSecond is { } rate ? Math.Max(1, rate / 4) : 8192];
        while (!answer.IsWhole && answer.Oddity is null)
        {
            if (manner?.BytesPerSecond is not null)
            {
                await Task.Delay(TimeSpan.FromSeconds(0.25), TimeProvider.System, cancellationToken);
            }

            var read = await socket.ReceiveAsync(buffer, cancellationToken);
            if (read == 0)
            {
                return;
            }

            var before = answer.Events;
            answer.Feed(buffer.AsSpan(0, read));
            if (answer.Events > before)
            {
                onEvents?.Invoke(answer);
            }

            if (manner?.LeaveAfter is { } leaveAfter && answer.Events >= leaveAfter && !answer.IsWhole)
            {
                answer.IsLeft = true;
                return;
            }
        }
    }
}
