using System.Collections.Concurrent;
using AgentPlatform.Inference;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace AgentPlatform.Tests.Inference.OpenAI;

/// <summary>A server on a real port that answers as the test says, well or badly.</summary>
internal sealed class UpstreamServer : IAsyncDisposable
{
    private readonly WebApplication _app;

    private UpstreamServer(WebApplication app)
    {
        _app = app;
        Address = new Uri(app.Urls.First());
    }

    public Uri Address { get; }

    /// <summary>The answer to every request; its body has been read.</summary>
    public Func<HttpContext, string, Task> Answer { get; set; } = (_, _) => Task.CompletedTask;

    /// <summary>Path and body of each request.</summary>
    public ConcurrentQueue<(string Path, string Body)> Requests { get; } = new();

    public static async Task<UpstreamServer> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrel().UseUrls("http://127.0.0.1:0");
        var app = builder.Build();
        UpstreamServer? server = null;
        app.Run(async context =>
        {
            using var reader = new StreamReader(context.Request.Body);
            var body = await reader.ReadToEndAsync();
            server!.Requests.Enqueue((context.Request.Path, body));
            await server.Answer(context, body);
        });
        await app.StartAsync();
        return server = new UpstreamServer(app);
    }

    /// <summary>Sends pieces of a stream, each by itself.</summary>
    public static Func<HttpContext, string, Task> Stream(params string[] pieces) => async (context, _) =>
    {
        context.Response.ContentType = "text/event-stream";
        foreach (var piece in pieces)
        {
            await context.Response.WriteAsync(piece);
            await context.Response.Body.FlushAsync();
        }
    };

    /// <summary>Sends a piece again and again until the client leaves.</summary>
    public static async Task RepeatAsync(HttpContext context, string piece, TaskCompletionSource left)
    {
        context.RequestAborted.Register(left.SetResult);
        try
        {
            while (!context.RequestAborted.IsCancellationRequested)
            {
                await context.Response.WriteAsync(piece, context.RequestAborted);
            }
        }
        catch (OperationCanceledException)
        {
            // The client left.
        }

        await left.Task;
    }

    public static InferenceRequest Request(string body, bool stream = false, Operation operation = Operation.Chat) => new()
    {
        RequestId = Guid.NewGuid(),
        Model = "tiny",
        Operation = operation,
        Stream = stream,
        Deadline = DateTimeOffset.MaxValue,
        Body = System.Text.Encoding.UTF8.GetBytes(body),
    };

    public ValueTask DisposeAsync() => _app.DisposeAsync();
}
