using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Hosting;

namespace AgentPlatform.Api;

/// <summary>
/// The platform's HTTP surface, over the <see cref="AgentPlatform.Messaging.Contracts.IInference"/> and the
/// <see cref="Catalogue.IModelCatalogue"/> that the process registers. The gateway and every worker serve the same one.
/// </summary>
public static class InferenceApiExtensions
{
    /// <summary>Adds what the routes need: options, limits, OpenAPI.</summary>
    public static TBuilder AddInferenceApi<TBuilder>(this TBuilder builder) where TBuilder : IHostApplicationBuilder => builder;

    /// <summary>Maps the routes.</summary>
    public static WebApplication MapInferenceApi(this WebApplication app) => app;
}
