using System.Net;
using AgentPlatform.Inference;
using AgentPlatform.Inference.OpenAI;
using AgentPlatform.Worker.Configuration;
using AgentPlatform.Worker.Engines.Servers;
using Microsoft.Extensions.Options;

namespace AgentPlatform.Worker.Engines.OpenAI;

/// <summary>
/// Any OpenAI-compatible server, beside the worker or away. It is ready when the server is, which for a large model takes minutes.
/// </summary>
internal sealed class OpenAIEngine(
    HttpClient http, OpenAIEndpoint endpoint, TimeProvider time, ILogger<OpenAIEngine> logger,
    ILogger<OpenAIInference>? serverLogger = null) : IEngine
{
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
                provider.GetRequiredService<IHttpClientFactory>().CreateClient(ModelServerClient.Name),
                new OpenAIEndpoint(new Uri(options.Endpoint), upstream, options.ApiKey),
                provider.GetRequiredService<TimeProvider>(), provider.GetRequiredService<ILogger<OpenAIEngine>>(),
                provider.GetRequiredService<ILogger<OpenAIInference>>());
        });
    }

    /// <inheritdoc/>
    public Task LoadAsync(CancellationToken cancellationToken) =>
        new ServerWait(time, logger).UntilReadyAsync("the server", endpoint.Address, AskAsync, ServerWait.Patience, cancellationToken);

    /// <inheritdoc/>
    public Task WarmUpAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public IAsyncEnumerable<ReplyPart> RunAsync(InferenceRequest request, CancellationToken cancellationToken) =>
        _server.RunAsync(request, cancellationToken);

    /// <summary>
    /// Asks for the server's models, which those servers answer only once theirs is loaded; why it is not ready, or null.
    /// </summary>
    private async Task<string?> AskAsync(CancellationToken cancellationToken)
    {
        using var request = endpoint.CreateRequest(HttpMethod.Get, "models");
        using var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        return response.StatusCode switch
        {
            HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden =>
                throw new EngineLoadException($"The server at {request.RequestUri} refuses OpenAI:ApiKey ({(int)response.StatusCode})."),
            _ when response.IsSuccessStatusCode => null,
            var status => $"it answers {(int)status}",
        };
    }
}
