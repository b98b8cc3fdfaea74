using AgentPlatform.Inference;

namespace AgentPlatform.Api.Catalogue;

/// <summary>The way from a model's name to what answers, chosen once for each request.</summary>
/// <param name="Model">The model.</param>
/// <param name="Version">The version that answers; null if it has none.</param>
/// <param name="Inference">What answers.</param>
public sealed record ModelRoute(ModelInfo Model, string? Version, IInference Inference);
