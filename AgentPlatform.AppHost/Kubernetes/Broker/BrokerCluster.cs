using System.Globalization;
using AgentPlatform.AppHost.Kubernetes.Chart;
using AgentPlatform.AppHost.Kubernetes.Objects;
using Aspire.Hosting.Kubernetes;
using Aspire.Hosting.Kubernetes.Resources;

namespace AgentPlatform.AppHost.Kubernetes.Broker;

/// <summary>
/// The release's own broker as several nodes that hold each quorum queue together, so that one of them can be replaced or lost without
/// anybody being refused. They find one another by the names of their pods, which are known before there is one: nobody asks the cluster's
/// API.
/// </summary>
internal sealed class BrokerCluster(KubernetesChart chart, string name)
{
    /// <summary>Key of the nodes' common secret in the Secret of users.</summary>
    public const string CookieKey = "erlang-cookie";

    private const string ServiceName = $"{BrokerPods.Component}-nodes";
    private const string Domain = $"{ServiceName}.{{{{ .Release.Namespace }}}}";

    private static readonly int[] _ports = [4369, 25672];

    private readonly string _replicas = chart.Values.OneOf(
        "broker.replicas",
        1,
        "Nodes of the release's own RabbitMQ (3.13 or newer if more than one): with 3, one of them can be replaced or lost. Fixed once there "
        + "is a volume.",
        1,
        3,
        5);

    /// <summary>Whether there are several nodes.</summary>
    public string IsCluster => $"gt (int {_replicas}) 1";

    /// <summary>Makes the pods those of a cluster, where values.yaml wants one.</summary>
    public void Configure(StatefulSet set, ContainerV1 server)
    {
        var pod = set.Spec.Template.Spec;
        set.Spec.Replicas = chart.Number($"{{{{ {_replicas} | int }}}}");
        set.Spec.ServiceName = Either(ServiceName, $"{name}-service");

        // A node waits until most of them are there, so they have to start together.
        set.Spec.PodManagementPolicy = Either("Parallel", "OrderedReady");
        pod.TopologySpreadConstraints[0].WhenUnsatisfiable = Either("DoNotSchedule", "ScheduleAnyway");
        server.Env.Add(new() { Name = "POD_NAME", ValueFrom = new() { FieldRef = new() { FieldPath = "metadata.name" } } });
        server.Env.Add(new() { Name = "RABBITMQ_USE_LONGNAME", Value = Either("\"true\"", "\"false\"") });
        server.Env.Add(new() { Name = "RABBITMQ_NODENAME", Value = $"rabbit@$(POD_NAME){{{{ if {IsCluster} }}}}.{Domain}{{{{ end }}}}" });
        server.Env.Add(new() { Name = "BROKER_NODES", Value = $"{{{{ {_replicas} | int | toString }}}}" });

        // One node at a time: it goes once every queue has its majority without it, and gives its leaders away before.
        var stop = new ExecActionV1();
        stop.Command.AddRange(
        [
            "sh", "-c",
            "[ $BROKER_NODES = 1 ] || { rabbitmq-upgrade --timeout 60 await_online_quorum_plus_one; rabbitmq-upgrade --timeout 60 drain; } || true",
        ]);
        server.Lifecycle = new() { PreStop = new() { Exec = stop, Sleep = null!, HttpGet = null!, TcpSocket = null! } };
    }

    /// <summary>Its part of rabbitmq.conf.</summary>
    public string Configuration() => $"{{{{ if {IsCluster} }}}}"
        + $"{{{{ include `nodes` (dict `count` {_replicas} `namespace` .Release.Namespace) }}}}" + string.Join('\n', (string[])
    [
        "cluster_formation.peer_discovery_backend = classic_config",
        "cluster_partition_handling = pause_minority",

        // After how many seconds of silence a node counts as lost; RabbitMQ's default is a minute.
        "net_ticktime = 15",

        // Queues that were declared before all nodes had come, or whose node was lost for good, get their members all the same.
        "quorum_queue.continuous_membership_reconciliation.enabled = true",
        "quorum_queue.continuous_membership_reconciliation.target_group_size = 3",
        "{{ end }}",
    ]);

    /// <summary>What a cluster needs besides its pods.</summary>
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

    /// <summary>Gives each pod a name of its own, also before it is ready.</summary>
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
