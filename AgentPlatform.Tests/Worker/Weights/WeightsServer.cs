using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace AgentPlatform.Tests.Worker.Weights;

/// <summary>An HTTP server with a model's files and the list of their digests, which can break off and answer wrongly.</summary>
internal sealed class WeightsServer : IAsyncDisposable
{
    private readonly WebApplication _app;

    private WeightsServer(WebApplication app) => _app = app;

    public ConcurrentDictionary<string, byte[]> Files { get; } = new();

    /// <summary>Path and range of each request, as <c>model.onnx bytes=100-</c>.</summary>
    public ConcurrentQueue<string> Requests { get; } = new();

    /// <summary>
    /// How many bytes of the file's body come before the connection is cut; taken by the next requests for a file other than the list.
    /// </summary>
    public ConcurrentQueue<int> Cuts { get; } = new();

    /// <summary>Ends when a connection may be cut: a reset throws away what the other side has not read.</summary>
    public Func<Task> BeforeCut { get; set; } = () => Task.CompletedTask;

    /// <summary>Sends whole files whatever is asked for.</summary>
    public bool IgnoresRanges { get; set; }

    /// <summary>What answers instead of the server's own way.</summary>
    public RequestDelegate? Instead { get; set; }

    public Uri List => new($"{_app.Urls.Single()}/models/m/SHA256SUMS");

    public string ListSha256 => Convert.ToHexStringLower(SHA256.HashData(Files["SHA256SUMS"]));

    public static async Task<WeightsServer> StartAsync(params (string Name, byte[] Content)[] files)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        var app = builder.Build();
        app.Urls.Add("http://127.0.0.1:0");
        var server = new WeightsServer(app);
        foreach (var (name, content) in files)
        {
            server.Files[name] = content;
        }

        server.WriteList();
        app.Run(server.AnswerAsync);
        await app.StartAsync();
        return server;
    }

    /// <summary>Writes the list of the files as they are.</summary>
    public void WriteList() => Files["SHA256SUMS"] = Encoding.UTF8.GetBytes(string.Concat(
        Files.Where(file => file.Key != "SHA256SUMS")
            .Select(file => $"{Convert.ToHexStringLower(SHA256.HashData(file.Value))}  {file.Key}\n")));

    public async ValueTask DisposeAsync() => await _app.DisposeAsync();

    private async Task AnswerAsync(HttpContext context)
    {
        var name = context.Request.Path.Value!["/models/m/".Length..];
        Requests.Enqueue($"{name} {context.Request.Headers.Range}".TrimEnd());
        if (Instead is { } instead)
        {
            await instead(context);
            return;
        }

        if (!Files.TryGetValue(name, out var content))
        {
            context.Response.StatusCode = 404;
            return;
        }

        var from = IgnoresRanges ? 0 : (int)(context.Request.GetTypedHeaders().Range?.Ranges.Single().From ?? 0);
        if (from >= content.Length && from > 0)
        {
            context.Response.StatusCode = 416;
            context.Response.Headers.ContentRange = $"bytes */{content.Length}";
            return;
        }

        if (from > 0)
        {
            context.Response.StatusCode = 206;
            context.Response.Headers.ContentRange = $"bytes {from}-{content.Length - 1}/{content.Length}";
        }

        context.Response.ContentLength = content.Length - from;
        if (name != "SHA256SUMS" && Cuts.TryDequeue(out var cut))
        {
            await context.Response.Body.WriteAsync(content.AsMemory(from, cut));
            await context.Response.Body.FlushAsync();
            await BeforeCut();
            context.Abort();
            return;
        }

        await context.Response.Body.WriteAsync(content.AsMemory(from));
    }
}
