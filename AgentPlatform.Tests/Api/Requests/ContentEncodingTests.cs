using System.IO.Compression;
using System.Net;
using System.Text;
using AgentPlatform.Api.Requests;
using ZstdSharp;
using ZstdSharp.Unsafe;

namespace AgentPlatform.Tests.Api.Requests;

public sealed class ContentEncodingTests
{
    private const string Chat = "/v1/chat/completions";
    private const string Request = """{"model":"tiny","messages":[{"role":"user","content":"Hi"}]}""";

    [Theory]
    [InlineData("gzip")]
    [InlineData("GZIP")]
    [InlineData("deflate")]
    [InlineData("raw deflate")]
    [InlineData("br")]
    [InlineData("zstd")]
    [InlineData("identity")]
    public async Task A_compressed_body_reaches_the_engine_as_it_was_before(string encoding)
    {
        await using var host = await ApiHost.StartAsync();
        using var response = await PostAsync(host, Chat, Encode(Encoding.UTF8.GetBytes(Request), encoding), encoding.Split(' ')[^1]);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal(Request, Encoding.UTF8.GetString(host.Inference.Requests.Single().Body.Span));
    }

    [Theory]
    [InlineData("compress")]
    [InlineData("gzip, gzip")]
    public async Task An_encoding_that_is_not_understood_is_415_and_says_which_are(string encoding)
    {
        await using var host = await ApiHost.StartAsync();
        using var response = await PostAsync(host, Chat, Encoding.UTF8.GetBytes(Request), encoding);
        Assert.Equal(HttpStatusCode.UnsupportedMediaType, response.StatusCode);
        Assert.Contains(encoding, await response.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Equal("gzip, deflate, br, zstd", string.Join(", ", response.Headers.GetValues("Accept-Encoding")));
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("deflate")]
    [InlineData("br")]
    [InlineData("zstd")]
    public async Task A_bomb_is_413_and_leaves_nothing_behind(string encoding)
    {
        await using var host = await ApiHost.StartAsync(("Api:MaxBodySize", "100000"));
        using var response = await PostAsync(host, Chat, Encode(new byte[50_000_000], encoding), encoding);
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, response.StatusCode);
        await Wait.UntilAsync(() => host.Get<RequestBodies>().Held == 0);
    }

    [Fact]
    public async Task A_frame_that_asks_for_a_huge_window_is_refused()
    {
        using var frame = new MemoryStream();
        using (var encoder = new CompressionStream(frame, level: 19, leaveOpen: true))
        {
            encoder.SetParameter(ZSTD_cParameter.ZSTD_c_windowLog, 27);
            encoder.Write(Encoding.UTF8.GetBytes(Request));
        }

        await using var host = await ApiHost.StartAsync();
        using var response = await PostAsync(host, Chat, frame.ToArray(), "zstd");
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
    }

    [Theory]
    [InlineData("gzip", false)]
    [InlineData("gzip", true)]
    [InlineData("deflate", true)]
    [InlineData("br", false)]
    [InlineData("br", true)]
    [InlineData("zstd", false)]
    [InlineData("zstd", true)]
    public async Task A_body_that_is_not_what_its_encoding_says_is_400(string encoding, bool isCut)
    {
        await using var host = await ApiHost.StartAsync();
        var body = isCut ? Encode(Encoding.UTF8.GetBytes(Request), encoding)[..^12] : Encoding.UTF8.GetBytes(Request);
        using var response = await PostAsync(host, Chat, body, encoding);
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Empty(host.Inference.Requests);
        using var analyze = await PostAsync(host, "/analyze", body, encoding);
        Assert.Equal("Invalid request body.", await analyze.Content.ReadAsStringAsync());
        await Wait.UntilAsync(() => host.Get<RequestBodies>().Held == 0);
    }

    [Theory]
    [InlineData(Chat, Request)]
    [InlineData("/invoke", Request)]
    [InlineData("/batch", $"[{Request}]")]
    [InlineData("/analyze", """{"text":"Hi"}""")]
    public async Task A_byte_order_mark_is_skipped(string path, string request)
    {
        await using var host = await ApiHost.StartAsync();
        using var response = await host.PostAsync(path, (byte[])[0xEF, 0xBB, 0xBF, .. Encoding.UTF8.GetBytes(request)]);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal((byte)'{', host.Inference.Requests.Single().Body.Span[0]);
    }

    private static Task<HttpResponseMessage> PostAsync(ApiHost host, string path, byte[] body, string encoding)
    {
        var content = new ByteArrayContent(body) { Headers = { ContentType = new("application/json") } };
        content.Headers.TryAddWithoutValidation("Content-Encoding", encoding);
        return host.Client.PostAsync(new Uri(path, UriKind.Relative), content);
    }

    private static byte[] Encode(byte[] bytes, string encoding)
    {
        using var encoded = new MemoryStream();
        using (Stream encoder = encoding.ToUpperInvariant() switch
        {
            "GZIP" => new GZipStream(encoded, CompressionMode.Compress, leaveOpen: true),
            "DEFLATE" => new ZLibStream(encoded, CompressionMode.Compress, leaveOpen: true),
            "RAW DEFLATE" => new DeflateStream(encoded, CompressionMode.Compress, leaveOpen: true),
            "ZSTD" => new CompressionStream(encoded, leaveOpen: true),
            "BR" => new BrotliStream(encoded, CompressionMode.Compress, leaveOpen: true),
            _ => encoded,
        })
        {
            encoder.Write(bytes);
            return Finish(encoder, encoded);
        }
    }

    private static byte[] Finish(Stream encoder, MemoryStream encoded)
    {
        if (encoder != encoded)
        {
            encoder.Dispose();
        }

        return encoded.ToArray();
    }
}
