using System.Buffers;
using System.IO.Compression;
using System.Runtime.InteropServices;
using AgentPlatform.Inference;
using ZstdSharp;
using ZstdSharp.Unsafe;

namespace AgentPlatform.Api.Requests;

/// <summary>
/// Undoes the <c>Content-Encoding</c> of a body that is in memory as a whole, so that no slow client holds a decoder's window. Stops at the
/// first byte beyond the limit, whatever would come out in the end.
/// </summary>
internal static class ContentDecoder
{
    /// <summary>What can be undone, as <c>Accept-Encoding</c> lists it.</summary>
    public const string Accepted = "gzip, deflate, br, zstd";

    private const int PieceSize = 16 * 1024;

    // 8 MiB, which every encoder for HTTP keeps to (RFC 9659). A frame may name a window of gigabytes.
    private const int WindowLog = 23;

    /// <summary>Whether the body is as it is meant.</summary>
    public static bool IsIdentity(string? encoding) =>
        string.IsNullOrWhiteSpace(encoding) || encoding.Trim().Equals("identity", StringComparison.OrdinalIgnoreCase);

    /// <summary>Whether the encoding is one of <see cref="Accepted"/>, and the only one.</summary>
    public static bool IsKnown(string encoding) => encoding.Trim().ToLowerInvariant() is "gzip" or "x-gzip" or "deflate" or "br" or "zstd";

    /// <summary>
    /// Appends what <paramref name="encoded"/> stands for to <paramref name="decoded"/>; false if that is more than
    /// <paramref name="maxSize"/>.
    /// </summary>
    /// <exception cref="InferenceException">400: it is not what the encoding says; 503: there is no room.</exception>
    public static bool TryDecode(ReadOnlyMemory<byte> encoded, string encoding, RequestBody decoded, int maxSize)
    {
        var piece = ArrayPool<byte>.Shared.Rent(PieceSize);
        try
        {
            using var source = AsStream(encoded);
            using var decoder = Open(source, encoding.Trim().ToLowerInvariant(), encoded.Span);
            while (decoder.Read(piece) is > 0 and var count)
            {
                if (decoded.Length + count > maxSize)
                {
                    return false;
                }

                decoded.Append(new ReadOnlySequence<byte>(piece, 0, count));
            }

            return true;
        }
        catch (Exception e) when (e is InvalidDataException or InvalidOperationException or IOException or ZstdException)
        {
            throw new InferenceException(
                InferenceError.Invalid($"The body is not what its Content-Encoding '{encoding}' says.", "Content-Encoding",
                    "invalid_encoding"), e);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(piece);
        }
    }

    private static DecompressionStream Zstandard(Stream source)
    {
        var decoder = new DecompressionStream(source, leaveOpen: true);
        decoder.SetParameter(ZSTD_dParameter.ZSTD_d_windowLogMax, WindowLog);
        return decoder;
    }

    private static MemoryStream AsStream(ReadOnlyMemory<byte> bytes) =>
        MemoryMarshal.TryGetArray(bytes, out var array)
            ? new MemoryStream(array.Array!, array.Offset, array.Count, writable: false)
            : new MemoryStream(bytes.ToArray(), writable: false);

    private static Stream Open(Stream source, string encoding, ReadOnlySpan<byte> start) => encoding switch
    {
        "br" => new BrotliStream(source, CompressionMode.Decompress),
        "zstd" => Zstandard(source),

        // RFC 9110 means zlib's format; some clients leave out its header (RFC 1950, section 2.2).
        "deflate" => start is [var method, var flags, ..] && (method & 0x0F) == 8 && ((method << 8) | flags) % 31 == 0
            ? new ZLibStream(source, CompressionMode.Decompress)
            : new DeflateStream(source, CompressionMode.Decompress),
        _ => new GZipStream(source, CompressionMode.Decompress),
    };
}
