using Aspire.Hosting.Kubernetes.Resources;

namespace AgentPlatform.AppHost.Kubernetes.Objects;

/// <summary>How many pods must be left while nodes are emptied.</summary>
internal sealed class PodDisruptionBudget(string component) : NamedObject("policy/v1", "PodDisruptionBudget", $"{component}-disruption")
{
    public BudgetSpec Spec { get; } = new(ComponentLabels.Select(component));

    internal sealed class BudgetSpec(LabelSelectorV1 selector)
    {
        public int MaxUnavailable { get; } = 1;

        // A pod that is not ready serves nobody, and must not keep a node from being emptied.
        public string UnhealthyPodEvictionPolicy { get; } = "AlwaysAllow";

        public LabelSelectorV1 Selector { get; } = selector;
    }
}
