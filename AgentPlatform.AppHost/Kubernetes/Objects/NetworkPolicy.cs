using System.Globalization;
using System.Text.Json.Nodes;
using AgentPlatform.AppHost.Kubernetes.Chart;
using Aspire.Hosting.Kubernetes.Resources;

namespace AgentPlatform.AppHost.Kubernetes.Objects;

/// <summary>
/// The connections that pods may open and accept. Policies for the same pods add up; a connection that none of them allows is refused.
/// </summary>
internal sealed class NetworkPolicy(string name, LabelSelectorV1 pods) : NamedObject("networking.k8s.io/v1", "NetworkPolicy", name)
{
    public PolicySpec Spec { get; } = new(pods);

    /// <summary>The condition for installing network policies.</summary>
    public static string Enabled(KubernetesChart chart) => chart.Values.Path(
        "networkPolicies.enabled",
        true,
        "Whether pods reach, and are reached by, nobody but whom they must. Needs a network plugin that enforces policies.");

    /// <summary>Allows connections from a peer, or from anywhere if <paramref name="peer"/> is null, to ports of the pods.</summary>
    public NetworkPolicy From(NetworkPeer? peer, params string[] ports)
    {
        Spec.Ingress.Add(new IngressRule(peer is null ? [] : [peer], Tcp(ports)));
        return this;
    }

    /// <summary>Allows connections from the pods to ports of a peer, or of any host if <paramref name="peer"/> is null.</summary>
    public NetworkPolicy To(NetworkPeer? peer, params string[] ports)
    {
        Spec.Egress.Add(new EgressRule(peer is null ? [] : [peer], Tcp(ports)));
        return this;
    }

    /// <summary>
    /// Allows DNS queries to the cluster's service, to a cache on each node, and to OpenShift's pods, which listen on port 5353.
    /// </summary>
    public NetworkPolicy ToDns(KubernetesChart chart)
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

    /// <summary>A port: a number, a name in the pod's specification, or an expression.</summary>
    internal sealed class NetworkPort(string protocol, string port)
    {
        public string Protocol { get; } = protocol;

        public object Port { get; } = int.TryParse(port, CultureInfo.InvariantCulture, out var number) ? number : port;
    }
}
