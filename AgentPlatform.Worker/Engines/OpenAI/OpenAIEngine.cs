using System.Net;
using AgentPlatform.Inference;
using AgentPlatform.Inference.OpenAI;
using AgentPlatform.Worker.Configuration;
using AgentPlatform.Worker.Engines.Servers;
using Microsoft.Extensions.Options;

namespace AgentPlatform.Worker.Engines.OpenAI;

/// <summary>Any OpenAI-compatible server, beside the worker or away. It is ready when the server is, which for a large model takes minutes.</summary>
internal sealed partial class OpenAIEngine(
    HttpClient http, OpenAIEndpoint endpoint, TimeProvider time, ILogger<OpenAIEngine> logger, ILogger<OpenAIInference>? serverLogger = null) : IEngine
{
    private static readonly TimeSpan _retryDelay = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(10);

    private readonly OpenAIInference _server = new(http, endpoint, serverLogger);

    /// <inheritdoc/>
    public EngineTraits Traits { get; } = new([Operation.Chat], Slots: 32);

    /// <summary>Registers the engine and its options.</summary>
    public static void AddTo(IHostApplicationBuilder builder)
    {
        var services = builder.Services;
        services.AddValidated<OpenAIOptions, OpenAIOptionsValidator>(OpenAIOptions.Section);
        services.AddModelServerClient();
        services.AddSingleton<IEngine>(static provider =>
        {
            var options = provider.GetRequiredService<IOptions<OpenAIOptions>>().Value;
            var upstream = options.UpstreamModel ?? provider.GetRequiredService<IOptions<ModelOptions>>().Value.Name;
            return new OpenAIEngine(
                provider.GetRequiredService<IHttpClientFactory>().CreateClient(ModelServerClient.Name), new OpenAIEndpoint(new Uri(options.Endpoint), upstream, options.ApiKey),
                provider.GetRequiredService<TimeProvider>(), provider.GetRequiredService<ILogger<OpenAIEngine>>(),
                provider.GetRequiredService<ILogger<OpenAIInference>>());
        });
    }

    /// <inheritdoc/>
    public async Task LoadAsync(CancellationToken cancellationToken)
    {
        string? reported = null;
        while (await AskAsync(cancellationToken) is { } reason)
        {
            if (reason != reported)
            {
                // Once for each reason, not once a second.
                ServerAway(logger, endpoint.Address, reason);
                reported = reason;
            }

            await Task.Delay(_retryDelay, time, cancellationToken);
        }
    }

    /// <inheritdoc/>
    public Task WarmUpAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public IAsyncEnumerable<ReplyPart> RunAsync(InferenceRequest request, CancellationToken cancellationToken) => _server.RunAsync(request, cancellationToken);

    /// <summary>Asks for the server's models, which those servers answer only once theirs is loaded; why it is not ready, or null.</summary>
    private async Task<string?> AskAsync(CancellationToken cancellationToken)
    {
        using var request = endpoint.CreateRequest(HttpMethod.Get, "models");
        using var patience = new CancellationTokenSource(_patience, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellationToken);
        try
        {
            using var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, either.Token);
            return response.StatusCode switch
            {
                HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden => throw new EngineLoadException($"The server at {request.RequestUri} refuses OpenAI:ApiKey ({(int)response.StatusCode})."),
                _ when response.IsSuccessStatusCode => null,
                var status => $"it answers {(int)status}",
            };
        }
        catch (HttpRequestException e)
        {
            return e.Message;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return "it does not answer";
        }
    }

    [LoggerMessage(LogLevel.Warning, "Waiting for the server at {Endpoint}: {Reason}")]
    private static partial void ServerAway(ILogger logger, Uri endpoint, string reason);
}
