using AgentPlatform.Inference;

namespace AgentPlatform.Api.Catalogue;

/// <summary>A model as <c>GET /v1/models</c> lists it.</summary>
/// <param name="Id">The name by which requests ask for it.</param>
/// <param name="Operations">What it can be asked.</param>
/// <param name="OwnedBy">Who provides it.</param>
/// <param name="Description">What a user should know before relying on it, such as that its answers are simulated; null if nothing.</param>
public sealed record ModelInfo(string Id, IReadOnlyList<Operation> Operations, string OwnedBy, string? Description = null);

/// <summary>The models that a process serves: all of the platform's in the gateway, its own one in a worker.</summary>
/// <remarks>Safe for concurrent use.</remarks>
public interface IModelCatalogue
{
    /// <summary>
    /// The models, in the order in which they are configured; the first that can do an operation serves requests that name none.
    /// </summary>
    IReadOnlyList<ModelInfo> Models { get; }

    /// <summary>The way to the model of that name, for one request; null if there is no such model.</summary>
    ModelRoute? Find(string id);
}
