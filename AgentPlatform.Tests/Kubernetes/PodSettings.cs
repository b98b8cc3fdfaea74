using System.Text.Json.Nodes;

namespace AgentPlatform.Tests.Kubernetes;

/// <summary>
/// The environment of a container, as its process sees it; values of Secrets are left as <c>secret:NAME/KEY</c>, fields of the pod as
/// <c>field:PATH</c>.
/// </summary>
internal static class PodSettings
{
    public static Dictionary<string, string> Of(Chart chart, JsonNode container)
    {
        var settings = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach (var source in Chart.List(container["envFrom"]))
        {
            foreach (var (key, value) in chart.Get("ConfigMap", (string)source["configMapRef"]!["name"]!)["data"]!.AsObject())
            {
                settings[key] = (string)value!;
            }
        }

        foreach (var variable in Chart.List(container["env"]))
        {
            settings[(string)variable["name"]!] = (string?)variable["value"]
                ?? (variable["valueFrom"]!["fieldRef"] is { } field ? $"field:{field["fieldPath"]}" : null)
                ?? $"secret:{variable["valueFrom"]!["secretKeyRef"]!["name"]}/{variable["valueFrom"]!["secretKeyRef"]!["key"]}";
        }

        return settings;
    }
}
