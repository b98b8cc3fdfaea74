namespace AgentPlatform.AppHost.Kubernetes.Objects;

/// <summary>The credentials of a KEDA trigger, taken from a Secret.</summary>
internal sealed class TriggerAuthentication(string name, IReadOnlyList<TriggerAuthentication.SecretTarget> targets)
    : NamedObject("keda.sh/v1alpha1", "TriggerAuthentication", name)
{
    public AuthenticationSpec Spec { get; } = new(targets);

    internal sealed record AuthenticationSpec(IReadOnlyList<SecretTarget> SecretTargetRef);

    /// <summary>Takes a parameter of the trigger from a key of a Secret.</summary>
    internal sealed record SecretTarget(string Parameter, string Name, string Key);
}
