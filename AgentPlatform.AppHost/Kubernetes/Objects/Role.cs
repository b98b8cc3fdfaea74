namespace AgentPlatform.AppHost.Kubernetes.Objects;

/// <summary>Something that may be done in the namespace of the release.</summary>
internal sealed class Role(string name, params IReadOnlyList<Role.Rule> rules) : NamedObject("rbac.authorization.k8s.io/v1", "Role", name)
{
    public IReadOnlyList<Rule> Rules { get; } = rules;

    /// <summary>What may be done with objects of some kinds; an empty group is that of pods.</summary>
    internal sealed record Rule(IReadOnlyList<string> ApiGroups, IReadOnlyList<string> Resources, IReadOnlyList<string> Verbs);
}
