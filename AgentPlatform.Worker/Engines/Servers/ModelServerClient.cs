using AgentPlatform.Inference.OpenAI;

namespace AgentPlatform.Worker.Engines.Servers;

/// <summary>The HTTP client of engines whose model is on a server.</summary>
internal static class ModelServerClient
{
    /// <summary>Name of the client.</summary>
    public const string Name = "model-server";

    /// <summary>Registers the client with its retries.</summary>
    public static void AddModelServerClient(this IServiceCollection services) =>
        services.AddUpstreamClient(Name).AddHttpMessageHandler(static provider =>
            new ModelServerRetry(provider.GetRequiredService<TimeProvider>()));
}
