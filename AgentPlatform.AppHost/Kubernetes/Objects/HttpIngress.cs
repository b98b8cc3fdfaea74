namespace AgentPlatform.AppHost.Kubernetes.Objects;

/// <summary>An Ingress through which clients outside of the cluster reach a service by host name.</summary>
internal sealed class HttpIngress : NamedObject
{
    public HttpIngress(string component, string className, string annotations, string host, string tlsSecret)
        : base("networking.k8s.io/v1", "Ingress", $"{component}-ingress")
    {
        Metadata.Annotations["values"] = annotations;
        Spec = new(component, className, host, tlsSecret);
    }

    public IngressSpec Spec { get; }

    internal sealed class IngressSpec(string component, string className, string host, string tlsSecret)
    {
        public string IngressClassName { get; } = className;

        public IReadOnlyList<Tls> Tls { get; } = [new([host], tlsSecret)];

        public IReadOnlyList<Rule> Rules { get; } = [new(host, new([new(new(new($"{component}-service", new("http"))))]))];
    }

    internal sealed record Tls(IReadOnlyList<string> Hosts, string SecretName);

    internal sealed record Rule(string Host, PathList Http);

    internal sealed record PathList(IReadOnlyList<PathRule> Paths);

    internal sealed record PathRule(Backend Backend)
    {
        public string Path { get; } = "/";

        public string PathType { get; } = "Prefix";
    }

    internal sealed record Backend(ServiceBackend Service);

    internal sealed record ServiceBackend(string Name, ServicePort Port);

    internal sealed record ServicePort(string Name);
}
