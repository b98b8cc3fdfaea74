using Aspire.Hosting.Kubernetes.Resources;

namespace AgentPlatform.AppHost.Kubernetes.Objects;

/// <summary>
/// An object of a kind that Aspire has no type for, or whose numbers are entries of values.yaml. Properties are written in camel case.
/// </summary>
internal abstract class NamedObject : BaseKubernetesResource
{
    protected NamedObject(string apiVersion, string kind, string name) : base(apiVersion, kind) => Metadata.Name = name;
}
