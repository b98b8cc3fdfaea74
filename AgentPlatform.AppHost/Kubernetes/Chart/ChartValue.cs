using System.Text.Json.Nodes;

namespace AgentPlatform.AppHost.Kubernetes.Chart;

/// <summary>One value of values.yaml.</summary>
/// <param name="Value">Its default: a text, a number, a truth value, or a whole map or list.</param>
/// <param name="Comment">What it is for; stands above it.</param>
/// <param name="Limits">What its schema says besides its type, such as <c>minimum</c>.</param>
internal sealed record ChartValue(object Value, string Comment, JsonObject? Limits = null);
