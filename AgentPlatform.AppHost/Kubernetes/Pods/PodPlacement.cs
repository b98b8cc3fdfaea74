using System.Text.Json.Nodes;
using AgentPlatform.AppHost.Kubernetes.Chart;
using Aspire.Hosting.Kubernetes.Resources;

namespace AgentPlatform.AppHost.Kubernetes.Pods;

/// <summary>On which nodes the pods of a part may run, and by which credentials their images come: maps and lists that values.yaml gives wholly.</summary>
internal static class PodPlacement
{
    /// <summary>Lets values.yaml decide.</summary>
    /// <param name="chart">The chart.</param>
    /// <param name="pod">The pods.</param>
    /// <param name="section">Section of the part in values.yaml.</param>
    /// <param name="gpus">Whether they need nodes with GPUs, which others are kept away from by a taint.</param>
    public static void Place(KubernetesChart chart, PodSpecV1 pod, string section, bool gpus = false)
    {
        var labels = new JsonObject { ["kubernetes.io/os"] = "linux" };
        var taints = new JsonArray();
        if (gpus)
        {
            labels["nvidia.com/gpu.present"] = "true";
            taints.Add(new JsonObject { ["key"] = "nvidia.com/gpu", ["operator"] = "Exists", ["effect"] = "NoSchedule" });
        }

        // In Aspire's types keys are texts and lists have their items, so the only entry carries the expression; ChartFolder puts it in the place of all.
        pod.NodeSelector["values"] = chart.Values.Whole($"{section}.nodeSelector", labels, "Labels of the nodes that its pods may run on, all of them; null takes one away.");
        pod.Tolerations.Add(new() { Key = chart.Values.Whole($"{section}.tolerations", taints, "Taints of nodes that do not keep its pods away, as Kubernetes writes them.") });
        pod.PriorityClassName = chart.Values.Optional($"{section}.priorityClassName", "PriorityClass of its pods; empty: the cluster's default.");
        pod.ImagePullSecrets.Add(new() { Name = chart.Values.Whole("imagePullSecrets", new JsonArray(), "Secrets with the credentials of private registries, such as [{name: registry}].") });
    }
}
