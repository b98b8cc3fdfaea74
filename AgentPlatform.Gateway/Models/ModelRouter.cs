using System.Collections.Frozen;
using AgentPlatform.Api.Catalogue;
using AgentPlatform.Client.Models;
using AgentPlatform.Inference;
using Microsoft.Extensions.Options;

namespace AgentPlatform.Gateway.Models;

/// <summary>The gateway's models and the transport of each.</summary>
/// <remarks>Safe for concurrent use.</remarks>
internal sealed class ModelRouter : IModelCatalogue
{
    private readonly FrozenDictionary<string, ModelRoute> _routes;

    public ModelRouter(IOptions<ModelsOptions> options, Func<ModelOptions, IInference> transports)
    {
        var routes = options.Value.Models.Select(model => new ModelRoute(InfoOf(model), model.Version, transports(model))).ToList();
        Models = [.. routes.Select(route => route.Model)];
        _routes = routes.ToFrozenDictionary(route => route.Model.Id, StringComparer.Ordinal);
    }

    /// <inheritdoc/>
    public IReadOnlyList<ModelInfo> Models { get; }

    /// <inheritdoc/>
    public ModelRoute? Find(string id) => _routes.GetValueOrDefault(id);

    private static ModelInfo InfoOf(ModelOptions model) => new(model.Name, model.AllOperations, "agentplatform", model.Description);
}
