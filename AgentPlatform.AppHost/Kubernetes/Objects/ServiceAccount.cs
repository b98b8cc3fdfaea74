namespace AgentPlatform.AppHost.Kubernetes.Objects;

/// <summary>Who a pod is for the cluster's API.</summary>
/// <param name="name">Its name.</param>
/// <param name="automount">Whether its pods get a token; the pods themselves must not say so, too.</param>
internal sealed class ServiceAccount(string name, string automount) : NamedObject("v1", "ServiceAccount", name)
{
    public string AutomountServiceAccountToken { get; } = automount;
}
