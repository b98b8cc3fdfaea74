using AgentPlatform.Inference;
using Microsoft.AspNetCore.Http;

namespace AgentPlatform.Api.Catalogue;

/// <summary>Finds the model that serves a request.</summary>
internal static class CatalogueExtensions
{
    /// <summary>Names the version of the model that answers.</summary>
    public const string VersionHeader = "x-model-version";

    /// <summary>
    /// The way to the model that <paramref name="name"/> asks for, or the first that can do <paramref name="operation"/> if it is null.
    /// </summary>
    /// <exception cref="InferenceException">404 if there is none, 400 if the named one cannot do it.</exception>
    public static ModelRoute Resolve(this IModelCatalogue catalogue, string? name, Operation operation)
    {
        if (name is not null)
        {
            var named = catalogue.Find(name) ?? throw new InferenceException(InferenceError.ModelNotFound(name));
            return named.Model.Operations.Contains(operation)
                ? named
                : throw new InferenceException(InferenceError.Invalid($"The model '{name}' does not do {operation.Info().Noun}.", "model",
                    "unsupported_operation"));
        }

        foreach (var model in catalogue.Models)
        {
            if (model.Operations.Contains(operation) && catalogue.Find(model.Id) is { } route)
            {
                return route;
            }
        }

        throw new InferenceException(new InferenceError(ErrorKind.NotFound, $"No model here does {operation.Info().Noun}.",
            "model_not_found", "model"));
    }

    /// <summary>Says in the response which version of the model answers.</summary>
    public static void NameVersion(this HttpContext context, ModelRoute route)
    {
        if (route.Version is not null)
        {
            context.Response.Headers[VersionHeader] = route.Version;
        }
    }
}
