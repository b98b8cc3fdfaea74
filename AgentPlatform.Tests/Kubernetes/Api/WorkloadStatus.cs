using System.Text.Json.Nodes;

namespace AgentPlatform.Tests.Kubernetes.Api;

/// <summary>What controllers of a cluster would say of a workload, at once: all its pods are there, or none comes up.</summary>
internal static class WorkloadStatus
{
    public static void Set(JsonObject item, bool isReady)
    {
        if ((string?)item["kind"] is not ("Deployment" or "StatefulSet"))
        {
            return;
        }

        var wanted = (int)item["spec"]!["replicas"]!;
        var ready = isReady ? wanted : 0;
        item["status"] = new JsonObject
        {
            ["observedGeneration"] = (int)item["metadata"]!["generation"]!,
            ["replicas"] = wanted,
            ["updatedReplicas"] = wanted,
            ["readyReplicas"] = ready,
            ["availableReplicas"] = ready,
            ["currentReplicas"] = wanted,
            ["currentRevision"] = "1",
            ["updateRevision"] = "1",
            ["conditions"] = new JsonArray(
                Condition("Available", isReady, "MinimumReplicasAvailable"),
                Condition("Progressing", isReady, isReady ? "NewReplicaSetAvailable" : "ProgressDeadlineExceeded")),
        };
    }

    private static JsonObject Condition(string type, bool isTrue, string reason) =>
        new() { ["type"] = type, ["status"] = isTrue ? "True" : "False", ["reason"] = reason };
}
