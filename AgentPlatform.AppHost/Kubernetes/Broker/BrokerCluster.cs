using System.Globalization;
using AgentPlatform.AppHost.Kubernetes.Chart;
using AgentPlatform.AppHost.Kubernetes.Objects;
using Aspire.Hosting.Kubernetes;
using Aspire.Hosting.Kubernetes.Resources;

namespace AgentPlatform.AppHost.Kubernetes.Broker;

/// <summary>
/// The release's own broker as several nodes that replicate each quorum queue, so that one of them can be replaced or lost without an
/// interruption. The nodes find each other by the names of their pods, which are fixed, and so need no access to the cluster's API.
/// </summary>
internal sealed class BrokerCluster(KubernetesChart chart, string name)
{
    /// <summary>Key of the Erlang cookie, which all nodes share, in the Secret of users.</summary>
    public const string CookieKey = "erlang-cookie";

    private const string ServiceName = $"{BrokerPods.Component}-nodes";
    private const string Domain = $"{ServiceName}.{{{{ .Release.Namespace }}}}";

    private static readonly int[] _ports = [4369, 25672];

    private readonly string _replicas = chart.Values.OneOf(
        "broker.replicas",
        1,
        "Nodes of the release's own RabbitMQ (3.13 or newer if more than one): with 3, one of them can be replaced or lost. Fixed once "
        + "there is a volume.",
        1,
        3,
        5);

    /// <summary>Condition: the broker has several nodes.</summary>
    public string IsCluster => $"gt (int {_replicas}) 1";

    /// <summary>Configures the pods as nodes of a cluster if values.yaml asks for several.</summary>
    public void Configure(StatefulSet set, ContainerV1 server)
    {
        var pod = set.Spec.Template.Spec;
        set.Spec.Replicas = chart.Number($"{{{{ {_replicas} | int }}}}");
        set.Spec.ServiceName = Either(ServiceName, $"{name}-service");

        // A node waits for the majority, so all nodes have to start together.
        set.Spec.PodManagementPolicy = Either("Parallel", "OrderedReady");
        pod.TopologySpreadConstraints[0].WhenUnsatisfiable = Either("DoNotSchedule", "ScheduleAnyway");
        server.Env.Add(new() { Name = "POD_NAME", ValueFrom = new() { FieldRef = new() { FieldPath = "metadata.name" } } });
        server.Env.Add(new() { Name = "RABBITMQ_USE_LONGNAME", Value = Either("\"true\"", "\"false\"") });
        server.Env.Add(new() { Name = "RABBITMQ_NODENAME", Value = $"rabbit@$(POD_NAME){{{{ if {IsCluster} }}}}.{Domain}{{{{ end }}}}" });
        server.Env.Add(new() { Name = "BROKER_NODES", Value = $"{{{{ {_replicas} | int | toString }}}}" });

        // One node stops at a time: once every queue has a majority without it, and after its leaders have moved to other nodes.
        var stop = new ExecActionV1();
        stop.Command.AddRange(
        [
            "sh", "-c",
            "[ $BROKER_NODES = 1 ] || { "
            + "rabbitmq-upgrade --timeout 60 await_online_quorum_plus_one; rabbitmq-upgrade --timeout 60 drain; } || true",
        ]);
        server.Lifecycle = new() { PreStop = new() { Exec = stop, Sleep = null!, HttpGet = null!, TcpSocket = null! } };
    }

    /// <summary>The settings of the cluster for rabbitmq.conf.</summary>
    public string Configuration() => $"{{{{ if {IsCluster} }}}}"
        + $"{{{{ include `nodes` (dict `count` {_replicas} `namespace` .Release.Namespace) }}}}" + string.Join('\n', (string[])
    [
        "cluster_formation.peer_discovery_backend = classic_config",
        "cluster_partition_handling = pause_minority",

        // Seconds of silence after which a node counts as lost; the default is 60.
        "net_ticktime = 15",

        // Queues that were declared before all nodes had joined, or that lost a node for good, get their missing members.
        "quorum_queue.continuous_membership_reconciliation.enabled = true",
        "quorum_queue.continuous_membership_reconciliation.target_group_size = 3",
        "{{ end }}",
    ]);

    /// <summary>Adds the objects that a cluster needs besides its pods.</summary>
    /// <param name="service">The broker's objects.</param>
    /// <param name="enabled">Condition: the release has its own broker.</param>
    public void AddObjects(KubernetesResource service, string enabled)
    {
        service.AdditionalResources.Add(chart.When($"and {enabled} ({IsCluster})", name, new NodesService()));
        service.AdditionalResources.Add(chart.When($"and {enabled} ({IsCluster})", name, new PodDisruptionBudget(name)));
        var ports = _ports.Select(port => port.ToString(CultureInfo.InvariantCulture)).ToArray();
        service.AdditionalResources.Add(chart.When(
            $"and {NetworkPolicy.Enabled(chart)} {enabled} ({IsCluster})",
            name,
            new NetworkPolicy($"{name}-cluster", ComponentLabels.Select(name))
                .From(NetworkPeer.Component(name), ports)
                .To(NetworkPeer.Component(name), ports)));
    }

    private string Either(string several, string one) => $"{{{{ if {IsCluster} }}}}{several}{{{{ else }}}}{one}{{{{ end }}}}";

    /// <summary>A headless Service, which gives each pod a DNS name even before it is ready.</summary>
    private sealed class NodesService() : NamedObject("v1", "Service", ServiceName)
    {
        public ServiceSpec Spec { get; } = new();
    }

    private sealed class ServiceSpec
    {
        public string ClusterIP { get; } = "None";

        public bool PublishNotReadyAddresses { get; } = true;

        public Dictionary<string, string> Selector { get; } = ComponentLabels.Of(BrokerPods.Component);

        public IReadOnlyList<NodePort> Ports { get; } = [new("epmd", _ports[0]), new("distribution", _ports[1])];
    }

    private sealed record NodePort(string Name, int Port);
}
