namespace AgentPlatform.AppHost.Kubernetes.Objects;

/// <summary>Credentials of a KEDA trigger, from a Secret.</summary>
internal sealed class TriggerAuthentication(string name, IReadOnlyList<TriggerAuthentication.SecretTarget> targets) : NamedObject("keda.sh/v1alpha1", "TriggerAuthentication", name)
{
    public AuthenticationSpec Spec { get; } = new(targets);

    internal sealed record AuthenticationSpec(IReadOnlyList<SecretTarget> SecretTargetRef);

    /// <summary>A parameter of the trigger, and the value of a Secret that it gets.</summary>
    internal sealed record SecretTarget(string Parameter, string Name, string Key);
}
