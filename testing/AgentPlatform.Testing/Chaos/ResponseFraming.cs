using System.Buffers;
using System.Globalization;
using System.Text;

namespace AgentPlatform.Testing.Chaos;

/// <summary>
/// Takes one HTTP/1.1 response apart as its bytes come: status, the headers that matter here, and the body out of its chunks. A response
/// that was cut off shows as one that has not ended (RFC 9112, 6 to 8).
/// </summary>
internal sealed class ResponseFraming
{
    private readonly List<byte> _line = [];
    private Place _place = Place.Head;
    private long _left;
    private bool _isChunked;

    private enum Place
    {
        Head,
        ChunkSize,
        Data,
        DataEnd,
        Trailer,
        End,
    }

    /// <summary>0 until the status line is there.</summary>
    public int Status { get; private set; }

    /// <summary>Whether the headers are complete.</summary>
    public bool HasHead => _place != Place.Head;

    /// <summary>Whether the whole response has come.</summary>
    public bool IsEnd => _place == Place.End;

    /// <summary>The header Retry-After.</summary>
    public string? RetryAfter { get; private set; }

    /// <summary>Whether the body is server-sent events.</summary>
    public bool IsEventStream { get; private set; }

    /// <summary>Reads the next bytes and appends to <paramref name="body"/> what of them belongs to the body.</summary>
    /// <exception cref="FormatException">They are no HTTP response.</exception>
    public void Feed(ReadOnlySpan<byte> bytes, IBufferWriter<byte> body)
    {
        while (!bytes.IsEmpty)
        {
            switch (_place)
            {
                case Place.End:
                    throw new FormatException("Bytes follow the end of the response.");
                case Place.Data:
                    var length = (int)Math.Min(_left, bytes.Length);
                    body.Write(bytes[..length]);
                    bytes = bytes[length..];
                    _left -= length;
                    if (_left == 0)
                    {
                        _place = _isChunked ? Place.DataEnd : Place.End;
                    }

                    break;
                default:
                    var end = bytes.IndexOf((byte)'\n');
                    _line.AddRange(end < 0 ? bytes : bytes[..end]);
                    if (end < 0)
                    {
                        return;
                    }

                    bytes = bytes[(end + 1)..];
                    var line = Encoding.ASCII.GetString([.. _line]).TrimEnd('\r');
                    _line.Clear();
                    ReadLine(line);
                    break;
            }
        }
    }

    private void ReadLine(string line)
    {
        switch (_place)
        {
            case Place.Head when Status == 0:
                Status = line.StartsWith("HTTP/1.1 ", StringComparison.Ordinal) ? int.Parse(line.AsSpan(9, 3), CultureInfo.InvariantCulture)
                    : throw new FormatException($"'{line}' is not a status line.");
                break;
            case Place.Head when line.Length > 0:
                ReadHeader(line);
                break;
            case Place.Head:
                _place = _isChunked ? Place.ChunkSize : _left > 0 ? Place.Data : Place.End;
                break;
            case Place.ChunkSize:
                _left = long.Parse(line, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
                _place = _left > 0 ? Place.Data : Place.Trailer;
                break;
            case Place.DataEnd:
                _place = line.Length == 0 ? Place.ChunkSize : throw new FormatException("A chunk is longer than it says.");
                break;
            case Place.Trailer when line.Length == 0:
                _place = Place.End;
                break;
            default:
                break;
        }
    }

    private void ReadHeader(string line)
    {
        var colon = line.IndexOf(':', StringComparison.Ordinal);
        var (name, value) = colon > 0
            ? (line[..colon].ToLowerInvariant(), line[(colon + 1)..].Trim())
            : throw new FormatException($"'{line}' is not a header.");
        switch (name)
        {
            case "transfer-encoding":
                _isChunked = value == "chunked";
                break;
            case "content-length":
                _left = long.Parse(value, CultureInfo.InvariantCulture);
                break;
            case "content-type":
                IsEventStream = value.StartsWith("text/event-stream", StringComparison.Ordinal);
                break;
            case "retry-after":
                RetryAfter = value;
                break;
            default:
                break;
        }
    }
}
