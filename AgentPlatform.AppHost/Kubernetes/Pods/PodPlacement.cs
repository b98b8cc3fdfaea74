using System.Text.Json.Nodes;
using AgentPlatform.AppHost.Kubernetes.Chart;
using Aspire.Hosting.Kubernetes.Resources;

namespace AgentPlatform.AppHost.Kubernetes.Pods;

/// <summary>
/// The nodes that pods may run on and the credentials for their images: maps and lists that values.yaml contains as a whole.
/// </summary>
internal static class PodPlacement
{
    /// <summary>Registers the values, with defaults for the kind of pod, and uses them.</summary>
    /// <param name="chart">The chart.</param>
    /// <param name="pod">The specification of the pods.</param>
    /// <param name="section">Section of values.yaml for the values.</param>
    /// <param name="gpus">Whether the pods need nodes with GPUs, which usually have a taint.</param>
    public static void Place(KubernetesChart chart, PodSpecV1 pod, string section, bool gpus = false)
    {
        var labels = new JsonObject { ["kubernetes.io/os"] = "linux" };
        var taints = new JsonArray();
        if (gpus)
        {
            labels["nvidia.com/gpu.present"] = "true";
            taints.Add(new JsonObject { ["key"] = "nvidia.com/gpu", ["operator"] = "Exists", ["effect"] = "NoSchedule" });
        }

        // Aspire's types have no room for an expression as a whole map or list, so the only entry holds it; ChartFolder replaces the
        // whole by it.
        var values = chart.Values;
        pod.NodeSelector["values"] = values.Whole(
            $"{section}.nodeSelector", labels, "Labels of the nodes that its pods may run on, all of them; null takes one away.");
        var tolerations = values.Whole(
            $"{section}.tolerations", taints, "Taints of nodes that do not keep its pods away, as Kubernetes writes them.");
        pod.Tolerations.Add(new() { Key = tolerations });
        pod.PriorityClassName = values.Optional(
            $"{section}.priorityClassName", "PriorityClass of its pods; empty: the cluster's default.");
        var secrets = values.Whole(
            "imagePullSecrets", new JsonArray(), "Secrets with the credentials of private registries, such as [{name: registry}].");
        pod.ImagePullSecrets.Add(new() { Name = secrets });
    }
}
