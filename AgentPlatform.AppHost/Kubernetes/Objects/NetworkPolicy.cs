using System.Globalization;
using System.Text.Json.Nodes;
using AgentPlatform.AppHost.Kubernetes.Chart;
using Aspire.Hosting.Kubernetes.Resources;

namespace AgentPlatform.AppHost.Kubernetes.Objects;

/// <summary>What the pods of a resource may reach, and who may reach them. Policies for the same pods add up; what none allows is refused.</summary>
internal sealed class NetworkPolicy(string name, LabelSelectorV1 pods) : NamedObject("networking.k8s.io/v1", "NetworkPolicy", name)
{
    public PolicySpec Spec { get; } = new(pods);

    /// <summary>The condition under which a chart has policies.</summary>
    public static string Enabled(KubernetesChart chart) => chart.Values.Path(
        "networkPolicies.enabled",
        true,
        "Whether pods reach, and are reached by, nobody but whom they must. Needs a network plugin that enforces policies.");

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

    /// <summary>
    /// Lets the pods look names up: at the cluster's own service, at a cache on their node, or at OpenShift's pods, which listen at 5353.
    /// </summary>
    public NetworkPolicy ToNames(KubernetesChart chart)
    {
        var servers = NetworkPeer.Whole(chart.Values.Whole(
            "networkPolicies.dnsPeers",
            new JsonArray(
                JsonNode.Parse("""{"namespaceSelector":{},"podSelector":{"matchLabels":{"k8s-app":"kube-dns"}}}"""),
                JsonNode.Parse("""{"ipBlock":{"cidr":"169.254.20.10/32"}}"""),
                JsonNode.Parse("""{"namespaceSelector":{"matchLabels":{"kubernetes.io/metadata.name":"openshift-dns"}}}""")),
            "Who answers for names, at ports 53 and 5353, as network policies have it: the cluster's DNS, a cache on each node "
            + "(NodeLocal DNSCache), OpenShift's DNS."));
        Spec.Egress.Add(new EgressRule([servers], [new("UDP", "53"), new("TCP", "53"), new("UDP", "5353"), new("TCP", "5353")]));
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
