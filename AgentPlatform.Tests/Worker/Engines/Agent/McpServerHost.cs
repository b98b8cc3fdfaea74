using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using ModelContextProtocol;
using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;

namespace AgentPlatform.Tests.Worker.Engines.Agent;

/// <summary>
/// A server of the Model Context Protocol over HTTP, for one client, with a tool whose name is not one for models and one that fails.
/// </summary>
internal sealed class McpServerHost : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly WebApplication _app;
    private readonly Task _server;

    private McpServerHost(WebApplication app, Func<CancellationToken, Task> run)
    {
        (_app, _server) = (app, run(_stop.Token));
        Address = new Uri(new Uri(app.Urls.First()), "mcp");
    }

    public Uri Address { get; }

    /// <summary>What the last request was allowed by.</summary>
    public string? Authorization { get; private set; }

    public static async Task<McpServerHost> StartAsync()
    {
        var transport = new StreamableHttpServerTransport();
        var server = McpServer.Create(transport, new McpServerOptions
        {
            ServerInfo = new Implementation { Name = "test", Version = "1" },
            ToolCollection =
            [
                McpServerTool.Create((string text) => $"{text}!", new McpServerToolCreateOptions { Name = "text.shout" }),
                McpServerTool.Create(
                    (string text) =>
                        new CallToolResult { IsError = true, Content = [new TextContentBlock { Text = $"Cannot whisper {text}." }] },
                    new McpServerToolCreateOptions { Name = "whisper" }),
            ],
        });
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrel().UseUrls("http://127.0.0.1:0");
        var app = builder.Build();
        McpServerHost? host = null;
        app.MapPost("/mcp", async context =>
        {
            host!.Authorization = context.Request.Headers.Authorization;
            var message = await JsonSerializer.DeserializeAsync<JsonRpcMessage>(context.Request.Body, McpJsonUtilities.DefaultOptions,
                context.RequestAborted);
            context.Response.Headers["Mcp-Session-Id"] = "only";
            context.Response.ContentType = "text/event-stream";
            if (!await transport.HandlePostRequestAsync(message!, context.Response.Body, context.RequestAborted))
            {
                context.Response.ContentType = null;
                context.Response.StatusCode = StatusCodes.Status202Accepted;
            }
        });
        app.MapGet("/mcp", () => Results.StatusCode(StatusCodes.Status405MethodNotAllowed));
        app.MapDelete("/mcp", () => Results.Ok());
        await app.StartAsync();
        return host = new McpServerHost(app, async stop =>
        {
            await using (server)
            {
                await server.RunAsync(stop);
            }
        });
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _server.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await _app.DisposeAsync();
        _stop.Dispose();
    }
}
