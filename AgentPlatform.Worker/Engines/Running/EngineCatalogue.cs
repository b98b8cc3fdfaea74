using AgentPlatform.Api.Catalogue;
using Microsoft.Extensions.Options;

namespace AgentPlatform.Worker.Engines.Running;

/// <summary>The worker's one model, as its own HTTP surface lists it.</summary>
internal sealed class EngineCatalogue(IEngine engine, DirectInference inference, IOptions<ModelOptions> model) : IModelCatalogue
{
    // Not once for all: an engine may learn from the model's files what there is to say of it.
    /// <inheritdoc/>
    public IReadOnlyList<ModelInfo> Models =>
        [new ModelInfo(model.Value.Name, engine.Traits.Operations, "agentplatform", engine.Traits.Caveat)];

    /// <inheritdoc/>
    public ModelRoute? Find(string id) => model.Value.Name == id ? new ModelRoute(Models[0], model.Value.Version, inference) : null;
}
