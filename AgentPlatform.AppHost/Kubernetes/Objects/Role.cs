namespace AgentPlatform.AppHost.Kubernetes.Objects;

/// <summary>Permissions in the namespace of the release.</summary>
internal sealed class Role(string name, params IReadOnlyList<Role.Rule> rules) : NamedObject("rbac.authorization.k8s.io/v1", "Role", name)
{
    public IReadOnlyList<Rule> Rules { get; } = rules;

    /// <summary>Allows verbs on resources; the empty API group is the core group, which has pods.</summary>
    internal sealed record Rule(IReadOnlyList<string> ApiGroups, IReadOnlyList<string> Resources, IReadOnlyList<string> Verbs);
}
