using Aspire.Hosting.Kubernetes.Resources;

namespace AgentPlatform.AppHost.Kubernetes.Objects;

/// <summary>Applies a policy in the namespace of the release.</summary>
internal sealed class PodAdmissionBinding(string name, PodAdmissionPolicy policy)
    : NamedObject("admissionregistration.k8s.io/v1", "ValidatingAdmissionPolicyBinding", name)
{
    public BindingSpec Spec { get; } = new(policy.Metadata.Name);

    internal sealed class BindingSpec(string policy)
    {
        public string PolicyName { get; } = policy;

        public IReadOnlyList<string> ValidationActions { get; } = ["Deny"];

        public Match MatchResources { get; } =
            new(ComponentLabels.SelectLabels(new() { ["kubernetes.io/metadata.name"] = "{{ .Release.Namespace }}" }));
    }

    internal sealed record Match(LabelSelectorV1 NamespaceSelector);
}
