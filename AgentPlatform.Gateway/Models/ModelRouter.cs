using System.Collections.Frozen;
using AgentPlatform.Api.Catalogue;
using AgentPlatform.Client.Models;
using AgentPlatform.Messaging.Contracts;
using Microsoft.Extensions.Options;

namespace AgentPlatform.Gateway.Models;

/// <summary>The gateway's inference: each model's own transport, and the list of them.</summary>
/// <remarks>Safe for concurrent use.</remarks>
internal sealed class ModelRouter : IInference, IModelCatalogue
{
    private readonly FrozenDictionary<string, (ModelInfo Info, IInference Transport)> _models;

    public ModelRouter(IOptions<ModelsOptions> options, Func<ModelOptions, IInference> transports)
    {
        var models = options.Value.Models.Select(model => (Info: Describe(model), Transport: transports(model))).ToList();
        Models = [.. models.Select(model => model.Info)];
        _models = models.ToFrozenDictionary(model => model.Info.Id, StringComparer.Ordinal);
    }

    /// <inheritdoc/>
    public IReadOnlyList<ModelInfo> Models { get; }

    /// <inheritdoc/>
    public ModelInfo? Find(string id) => _models.TryGetValue(id, out var model) ? model.Info : null;

    /// <inheritdoc/>
    public IAsyncEnumerable<ReplyPart> RunAsync(InferenceRequest request, CancellationToken cancellationToken) =>
        _models.TryGetValue(request.Model, out var model)
            ? model.Transport.RunAsync(request, cancellationToken)
            : throw new InferenceException(InferenceError.ModelNotFound(request.Model));

    private static ModelInfo Describe(ModelOptions model) =>
        new(model.Name, model.AllOperations, "agentplatform", model.Description, model.Version);
}
