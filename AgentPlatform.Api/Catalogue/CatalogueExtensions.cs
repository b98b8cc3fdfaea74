using AgentPlatform.Messaging.Contracts;

namespace AgentPlatform.Api.Catalogue;

/// <summary>Finds the model that serves a request.</summary>
internal static class CatalogueExtensions
{
    /// <summary>The model that <paramref name="name"/> asks for, or the first that can do <paramref name="operation"/> if it is null.</summary>
    /// <exception cref="InferenceException">404 if there is none, 400 if the named one cannot do it.</exception>
    public static string Resolve(this IModelCatalogue catalogue, string? name, Operation operation)
    {
        if (name is not null)
        {
            var named = catalogue.Find(name) ?? throw new InferenceException(InferenceError.ModelNotFound(name));
            return named.Operations.Contains(operation)
                ? named.Id
                : throw new InferenceException(InferenceError.Invalid($"The model '{name}' does not do {Verb(operation)}.", "model", "unsupported_operation"));
        }

        foreach (var model in catalogue.Models)
        {
            if (model.Operations.Contains(operation))
            {
                return model.Id;
            }
        }

        throw new InferenceException(new InferenceError(404, "invalid_request_error", $"No model here does {Verb(operation)}.", "model_not_found", "model"));
    }

    private static string Verb(Operation operation) => operation == Operation.Chat ? "chat" : "analysis";
}
