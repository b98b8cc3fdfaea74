using System.Diagnostics;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using AgentPlatform.Inference;
using Microsoft.AspNetCore.Http;

namespace AgentPlatform.Api.Catalogue;

/// <summary>OpenAI's list of models, with the platform's own <c>operations</c> and <c>description</c> beside its members.</summary>
internal static class ModelsApi
{
    /// <summary>When the process began to serve the models; OpenAI's clients insist on the member.</summary>
    private static readonly long _created = new DateTimeOffset(Process.GetCurrentProcess().StartTime).ToUnixTimeSeconds();

    /// <summary>GET /v1/models</summary>
    public static IResult List(IModelCatalogue catalogue) =>
        Results.Json(new ModelList("list", [.. catalogue.Models.Select(ToObject)]), ModelsJsonContext.Relaxed.ModelList);

    /// <summary>GET /v1/models/{id}</summary>
    public static IResult Get(string id, IModelCatalogue catalogue) => catalogue.Find(id) is { Model: var model }
        ? Results.Json(ToObject(model), ModelsJsonContext.Relaxed.ModelObject)
        : throw new InferenceException(InferenceError.ModelNotFound(id));

    private static ModelObject ToObject(ModelInfo model) =>
        new(model.Id, "model", _created, model.OwnedBy, [.. model.Operations.Select(operation => operation.Info().Name)],
            model.Description);
}

/// <summary>A model as OpenAI's API describes it.</summary>
internal sealed record ModelObject(
    string Id, string Object, long Created, string OwnedBy, IReadOnlyList<string> Operations, string? Description);

/// <summary>All models.</summary>
internal sealed record ModelList(string Object, IReadOnlyList<ModelObject> Data);

[JsonSerializable(typeof(ModelList))]
internal sealed partial class ModelsJsonContext : JsonSerializerContext
{
    public static ModelsJsonContext Relaxed { get; } = new(new JsonSerializerOptions
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    });
}
