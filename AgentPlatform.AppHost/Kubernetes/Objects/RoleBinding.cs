namespace AgentPlatform.AppHost.Kubernetes.Objects;

/// <summary>Grants a role to a service account.</summary>
internal sealed class RoleBinding(string name, string role, string account)
    : NamedObject("rbac.authorization.k8s.io/v1", "RoleBinding", name)
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
