using System.ComponentModel;
using System.Text.RegularExpressions;
using AgentPlatform.Inference.OpenAI;
using AgentPlatform.Worker.Engines.Servers;
using Microsoft.SemanticKernel;
using ModelContextProtocol;
using ModelContextProtocol.Client;

namespace AgentPlatform.Worker.Engines.Agent.Tools;

/// <summary>Connections to servers of the Model Context Protocol, for as long as the agent lives. https://modelcontextprotocol.io</summary>
internal sealed partial class McpTools(IHttpClientFactory http, TimeProvider time, ILoggerFactory loggers) : IAsyncDisposable
{
    private const int MaxName = 64; // Of a tool, as OpenAI has it.

    private readonly ILogger _logger = loggers.CreateLogger<McpTools>();
    private readonly List<McpClient> _clients = [];

    /// <summary>Connects to a server and makes its tools a plugin. Waits for a server with an address that is not there yet.</summary>
    /// <exception cref="EngineLoadException">Its program does not start, or it does not speak the protocol.</exception>
    public async Task<KernelPlugin> ConnectAsync(McpServerOptions server, CancellationToken cancellationToken)
    {
        if (server.Url is null)
        {
            return await TryConnectAsync(server, cancellationToken);
        }

        KernelPlugin? plugin = null;
        await new ServerWait(time, _logger).UntilReadyAsync(
            $"the tools of {server.Name}", server.Url,
            async token =>
            {
                plugin = await TryConnectAsync(server, token);
                return null;
            },
            Timeout.InfiniteTimeSpan, cancellationToken);
        return plugin!;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        foreach (var client in _clients)
        {
            await client.DisposeAsync();
        }
    }

    /// <exception cref="HttpRequestException">The server is away.</exception>
    private async Task<KernelPlugin> TryConnectAsync(McpServerOptions server, CancellationToken cancellationToken)
    {
        try
        {
            var client = await McpClient.CreateAsync(CreateTransport(server), clientOptions: null, loggers, cancellationToken);
            _clients.Add(client);
            var tools = await client.ListToolsAsync(cancellationToken: cancellationToken);
            return KernelPluginFactory.CreateFromFunctions(
                server.Name,
                tools.Select(tool => new McpTool(tool.WithName(Fit(tool.Name, MaxName - server.Name.Length - 1))).AsKernelFunction()));
        }
        catch (Exception e)
            when (e is McpException or IOException or TimeoutException or Win32Exception or ArgumentException or InvalidOperationException)
        {
            throw new EngineLoadException($"The server '{server.Name}' of Agent:McpServers cannot be used: {e.Message}", e);
        }
    }

    private IClientTransport CreateTransport(McpServerOptions server)
    {
        if (server.Url is null)
        {
            return new StdioClientTransport(new StdioClientTransportOptions
            {
                Name = server.Name,
                Command = server.Command!,
                Arguments = [.. server.Args],
                StandardErrorLines = line => ServerSays(_logger, server.Name, line),
            }, loggers);
        }

        var options = new HttpClientTransportOptions { Name = server.Name, Endpoint = server.Url };
        if (!string.IsNullOrEmpty(server.ApiKey))
        {
            options.AdditionalHeaders = new Dictionary<string, string> { ["Authorization"] = $"Bearer {server.ApiKey}" };
        }

        return new HttpClientTransport(options, http.CreateClient(UpstreamClientExtensions.UpstreamClient), loggers, ownsHttpClient: true);
    }

    // A server may name its tools as it likes; models may not.
    private static string Fit(string name, int length)
    {
        var fit = NotInNames().Replace(name, "_");
        return fit.Length > length ? fit[..length] : fit;
    }

    [GeneratedRegex("[^A-Za-z0-9_]")]
    private static partial Regex NotInNames();

    [LoggerMessage(LogLevel.Debug, "{Server}: {Line}")]
    private static partial void ServerSays(ILogger logger, string server, string line);
}
