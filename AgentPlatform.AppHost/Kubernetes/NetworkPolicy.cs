using System.Globalization;
using Aspire.Hosting.Kubernetes.Resources;

namespace AgentPlatform.AppHost.Kubernetes;

/// <summary>What the pods of a resource may reach, and who may reach them. Policies for the same pods add up; what none allows is refused.</summary>
internal sealed class NetworkPolicy(string name, LabelSelectorV1 pods) : NamedObject("networking.k8s.io/v1", "NetworkPolicy", name)
{
    public PolicySpec Spec { get; } = new(pods);

    /// <summary>Lets somebody reach the pods at some ports; anybody if <paramref name="peer"/> is null.</summary>
    public NetworkPolicy From(NetworkPeer? peer, params string[] ports)
    {
        Spec.Ingress.Add(new IngressRule(peer is null ? [] : [peer], Tcp(ports)));
        return this;
    }

    /// <summary>Lets the pods reach somebody at some ports; anybody if <paramref name="peer"/> is null.</summary>
    public NetworkPolicy To(NetworkPeer? peer, params string[] ports)
    {
        Spec.Egress.Add(new EgressRule(peer is null ? [] : [peer], Tcp(ports)));
        return this;
    }

    /// <summary>Lets the pods look names up.</summary>
    public NetworkPolicy ToNames()
    {
        Spec.Egress.Add(new EgressRule([new() { NamespaceSelector = new(), PodSelector = ComponentLabels.SelectLabels(new() { ["k8s-app"] = "kube-dns" }) }], [new("UDP", "53"), new("TCP", "53")]));
        return this;
    }

    private static IReadOnlyList<NetworkPort> Tcp(IEnumerable<string> ports) => [.. ports.Select(port => new NetworkPort("TCP", port))];

    internal sealed class PolicySpec(LabelSelectorV1 pods)
    {
        public LabelSelectorV1 PodSelector { get; } = pods;

        public List<IngressRule> Ingress { get; } = [];

        public List<EgressRule> Egress { get; } = [];

        public IReadOnlyList<string> PolicyTypes { get; } = ["Ingress", "Egress"];
    }

    internal sealed record IngressRule(IReadOnlyList<NetworkPeer> From, IReadOnlyList<NetworkPort> Ports);

    internal sealed record EgressRule(IReadOnlyList<NetworkPeer> To, IReadOnlyList<NetworkPort> Ports);

    /// <summary>A port, by its number, by its name in the pods, or by an expression that gives one.</summary>
    internal sealed class NetworkPort(string protocol, string port)
    {
        public string Protocol { get; } = protocol;

        public object Port { get; } = int.TryParse(port, CultureInfo.InvariantCulture, out var number) ? number : port;
    }
}

/// <summary>Pods on the other side of a connection.</summary>
internal sealed class NetworkPeer
{
    /// <summary>Their namespaces; their own if null.</summary>
    public LabelSelectorV1? NamespaceSelector { get; init; }

    /// <summary>Their labels; all pods if null.</summary>
    public LabelSelectorV1? PodSelector { get; init; }

    /// <summary>Addresses, of pods or others.</summary>
    public AddressBlock? IpBlock { get; init; }

    /// <summary>The pods of one resource of this release.</summary>
    public static NetworkPeer Component(string component) => new() { PodSelector = ComponentLabels.Select(component) };

    /// <summary>All pods of this release.</summary>
    public static NetworkPeer Release() => new() { PodSelector = ComponentLabels.SelectLabels(new() { ["app.kubernetes.io/instance"] = "{{ .Release.Name }}" }) };

    /// <summary>All pods of a namespace.</summary>
    public static NetworkPeer Namespace(string name) => new() { NamespaceSelector = ComponentLabels.SelectLabels(new() { ["kubernetes.io/metadata.name"] = name }) };

    /// <summary>All addresses of a network, such as <c>10.0.0.0/16</c>.</summary>
    public static NetworkPeer Addresses(string network) => new() { IpBlock = new(network) };

    internal sealed record AddressBlock(string Cidr);
}
