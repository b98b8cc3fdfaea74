using System.Buffers.Text;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace AgentPlatform.Benchmarks.Load;

/// <summary>
/// One keep-alive HTTP/1.1 connection that posts the same body again and again. As small as can be: the load shares the machine
/// with what it measures, so every cycle that it burns is taken from it.
/// </summary>
/// <remarks>One caller at a time.</remarks>
internal sealed class HttpCaller : IDisposable
{
    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
    private readonly byte[] _buffer = new byte[64 * 1024];
    private readonly byte[] _request;
    private readonly IPEndPoint _server;

    /// <param name="port">The server's port on this machine.</param>
    /// <param name="path">What is posted to.</param>
    /// <param name="body">JSON.</param>
    /// <param name="headers">Further header lines, each with its line end.</param>
    public HttpCaller(int port, string path, string body, string headers = "")
    {
        _server = new IPEndPoint(IPAddress.Loopback, port);
        _request = Encoding.UTF8.GetBytes(
            $"POST {path} HTTP/1.1\r\nHost: localhost:{port}\r\nContent-Type: application/json\r\n"
            + $"Content-Length: {Encoding.UTF8.GetByteCount(body)}\r\n{headers}\r\n{body}");
    }

    /// <summary>Posts and reads the whole answer.</summary>
    /// <exception cref="InvalidOperationException">The status was not 200.</exception>
    public async Task PostAsync(CancellationToken cancellationToken)
    {
        await SendAsync(cancellationToken);
        var (head, filled) = await ReadHeadAsync(cancellationToken);
        var headers = _buffer.AsSpan(0, head);
        var lengthAt = headers.IndexOf("ontent-Length: "u8) is var found and >= 0 ? found : headers.IndexOf("ontent-length: "u8);
        if (lengthAt >= 0 && Utf8Parser.TryParse(headers[(lengthAt + 15)..], out int length, out _))
        {
            for (var rest = length - (filled - head); rest > 0;)
            {
                rest -= await ReadAsync(0, cancellationToken);
            }

            return;
        }

        // Chunked: the answers are small and end with the empty chunk.
        while (!_buffer.AsSpan(0, filled).EndsWith("\r\n0\r\n\r\n"u8))
        {
            filled += await ReadAsync(filled, cancellationToken);
        }
    }

    /// <summary>Posts and tells of every server-sent event as it arrives: its place from 0.</summary>
    public async Task StreamAsync(Action<int> onEvent, CancellationToken cancellationToken)
    {
        await SendAsync(cancellationToken);
        var (head, filled) = await ReadHeadAsync(cancellationToken);
        var scanner = new EventScanner();
        var chunk = _buffer.AsMemory(head, filled - head);
        while (true)
        {
            var found = scanner.Scan(chunk.Span, out var done);
            for (var i = 0; i < found; i++)
            {
                onEvent(scanner.Events - found + i);
            }

            if (done)
            {
                return;
            }

            chunk = _buffer.AsMemory(0, await ReadAsync(0, cancellationToken));
        }
    }

    public void Dispose() => _socket.Dispose();

    private async ValueTask SendAsync(CancellationToken cancellationToken)
    {
        if (!_socket.Connected)
        {
            await _socket.ConnectAsync(_server, cancellationToken);
        }

        await _socket.SendAsync(_request, cancellationToken);
    }

    private async ValueTask<(int Head, int Filled)> ReadHeadAsync(CancellationToken cancellationToken)
    {
        var filled = 0;
        int end;
        while ((end = _buffer.AsSpan(0, filled).IndexOf("\r\n\r\n"u8)) < 0)
        {
            filled += await ReadAsync(filled, cancellationToken);
        }

        return _buffer.AsSpan(0, filled).StartsWith("HTTP/1.1 200"u8)
            ? (end + 4, filled)
            : throw new InvalidOperationException(
                $"The server on port {_server.Port} answered: {Encoding.UTF8.GetString(_buffer, 0, Math.Min(filled, 600))}");
    }

    private async ValueTask<int> ReadAsync(int offset, CancellationToken cancellationToken)
    {
        var read = await _socket.ReceiveAsync(_buffer.AsMemory(offset), cancellationToken);
        return read > 0
            ? read
            : throw new InvalidOperationException($"The server on port {_server.Port} closed the connection inside an answer.");
    }
}

/// <summary>Counts the events of a server-sent stream in its bytes, wherever these are cut.</summary>
internal struct EventScanner
{
    private static ReadOnlySpan<byte> EventMark => "data: {"u8;

    // What follows the last event of a chunked body, so that the connection can be used again.
    private static ReadOnlySpan<byte> EndMark => "\r\n0\r\n\r\n"u8;

    private int _eventMatched;
    private int _endMatched;

    /// <summary>How many events have come.</summary>
    public int Events { get; private set; }

    /// <summary>Scans the next bytes; gives the number of events that begin (or whose mark ends) in them.</summary>
    public int Scan(ReadOnlySpan<byte> bytes, out bool done)
    {
        var before = Events;
        done = false;
        foreach (var b in bytes)
        {
            // Neither mark can begin inside itself in a way that this restart would miss, but for the doubled line end.
            _eventMatched = b == EventMark[_eventMatched] ? _eventMatched + 1 : b == EventMark[0] ? 1 : 0;
            _endMatched = b == EndMark[_endMatched] ? _endMatched + 1 : b == EndMark[0] ? 1 : 0;
            if (_eventMatched == EventMark.Length)
            {
                Events++;
                _eventMatched = 0;
            }

            if (_endMatched == EndMark.Length)
            {
                done = true;
                break;
            }
        }

        return Events - before;
    }
}
