namespace AgentPlatform.AppHost.Kubernetes.Objects;

/// <summary>The identity of a pod at the cluster's API.</summary>
/// <param name="name">Name of the account.</param>
/// <param name="automount">Whether its pods get a token, as an expression; a setting of the pods would override it.</param>
internal sealed class ServiceAccount(string name, string automount) : NamedObject("v1", "ServiceAccount", name)
{
    public string AutomountServiceAccountToken { get; } = automount;
}
