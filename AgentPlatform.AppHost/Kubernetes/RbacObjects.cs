namespace AgentPlatform.AppHost.Kubernetes;

/// <summary>Who a pod is for the cluster's API.</summary>
/// <param name="name">Its name.</param>
/// <param name="automount">Whether its pods get a token; the pods themselves must not say so, too.</param>
internal sealed class ServiceAccount(string name, string automount) : NamedObject("v1", "ServiceAccount", name)
{
    public string AutomountServiceAccountToken { get; } = automount;
}

/// <summary>Something that may be done in the namespace of the release.</summary>
internal sealed class Role(string name, params IReadOnlyList<Role.Rule> rules) : NamedObject("rbac.authorization.k8s.io/v1", "Role", name)
{
    public IReadOnlyList<Rule> Rules { get; } = rules;

    /// <summary>What may be done with objects of some kinds; an empty group is that of pods.</summary>
    internal sealed record Rule(IReadOnlyList<string> ApiGroups, IReadOnlyList<string> Resources, IReadOnlyList<string> Verbs);
}

/// <summary>Lets an account do what a role says.</summary>
internal sealed class RoleBinding(string name, string role, string account) : NamedObject("rbac.authorization.k8s.io/v1", "RoleBinding", name)
{
    public Reference RoleRef { get; } = new(role);

    public IReadOnlyList<Subject> Subjects { get; } = [new(account)];

    internal sealed record Reference(string Name)
    {
        public string ApiGroup { get; } = "rbac.authorization.k8s.io";

        public string Kind { get; } = "Role";
    }

    internal sealed record Subject(string Name)
    {
        public string Kind { get; } = "ServiceAccount";

        public string Namespace { get; } = "{{ .Release.Namespace }}";
    }
}
