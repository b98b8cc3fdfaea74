using Aspire.Hosting.Kubernetes.Resources;

namespace AgentPlatform.AppHost.Kubernetes.Objects;

/// <summary>Allows one pod of a resource at a time to be evicted when nodes are drained.</summary>
internal sealed class PodDisruptionBudget(string component) : NamedObject("policy/v1", "PodDisruptionBudget", $"{component}-disruption")
{
    public BudgetSpec Spec { get; } = new(ComponentLabels.Select(component));

    internal sealed class BudgetSpec(LabelSelectorV1 selector)
    {
        public int MaxUnavailable { get; } = 1;

        // A pod that is not ready serves no requests and must not block the drain of a node.
        public string UnhealthyPodEvictionPolicy { get; } = "AlwaysAllow";

        public LabelSelectorV1 Selector { get; } = selector;
    }
}
