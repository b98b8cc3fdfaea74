using System.Text.Json.Nodes;

namespace AgentPlatform.AppHost.Kubernetes.Chart;

/// <summary>One entry of values.yaml.</summary>
/// <param name="Value">The default: a string, a number, a Boolean, or a whole map or list.</param>
/// <param name="Comment">The comment above the entry; the description in the schema.</param>
/// <param name="Limits">Keywords of its schema besides the type, such as <c>minimum</c>.</param>
internal sealed record ChartValue(object Value, string Comment, JsonObject? Limits = null);
