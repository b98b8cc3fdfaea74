using System.Globalization;
using AgentPlatform.AppHost.Broker;
using AgentPlatform.AppHost.Kubernetes.Chart;
using AgentPlatform.AppHost.Kubernetes.Objects;
using AgentPlatform.AppHost.Kubernetes.Pods;
using Aspire.Hosting.Kubernetes;
using Aspire.Hosting.Kubernetes.Resources;

namespace AgentPlatform.AppHost.Kubernetes.Broker;

/// <summary>
/// The release's own RabbitMQ, where values.yaml wants one: nodes with a volume each, a user for each role, and the management API, which
/// KEDA asks. An existing RabbitMQ needs the same users.
/// </summary>
internal sealed class BrokerPods(KubernetesChart chart, IResource broker)
{
    /// <summary>Name of its pods among the labels.</summary>
    public const string Component = "messaging";

    private const int ManagementPort = 15672;
    private const string Memory = "broker.memory";
    private const string Storage = "broker.storage";
    private const string DataFolder = "/var/lib/rabbitmq";
    private const string TlsFolder = "/etc/rabbitmq/tls";
    private const string ConfigurationName = $"{Component}-files";

    // User of RabbitMQ's official image.
    private const long User = 999;

    // Both of AMQP, whether or not it listens there: connections without TLS go on while an upgrade brings it.
    private static readonly (string Name, int Number)[] _ports =
        [("tcp", BrokerAccess.PlainPort), ("amqps", BrokerAccess.TlsPort), ("management", ManagementPort)];

    private readonly string _name = broker.Name;
    private readonly BrokerAccess _access = new(chart);
    private readonly IReadOnlyList<BrokerUser> _users = [BrokerUser.Gateway, BrokerUser.Scaler, .. broker.Annotations.OfType<BrokerUser>()];

    public void Configure(KubernetesResource service)
    {
        var set = (StatefulSet)service.Workload!;
        set.Spec.VolumeClaimTemplates.Add(Claim());
        var pod = PodShape.Restrict(service, _name, User);
        PodPlacement.Place(chart, pod, "broker");
        set.Spec.Template.Metadata.Annotations["checksum/tls"] = "{{ .Values.broker.tls | toJson | sha256sum }}";
        pod.TerminationGracePeriodSeconds = 240;
        ConfigureServer(pod, pod.Containers[0]);
        var cluster = new BrokerCluster(chart, _name);
        cluster.Configure(set, pod.Containers[0]);
        service.ConfigMap = null;
        service.Secret = null;
        pod.Containers[0].Ports.Clear();
        service.Service!.Spec.Ports.Clear();
        foreach (var (port, number) in _ports)
        {
            pod.Containers[0].Ports.Add(new() { Name = port, Protocol = "TCP", ContainerPort = Text(number) });
            service.Service.Spec.Ports.Add(new() { Name = port, Protocol = "TCP", Port = number, TargetPort = number });
        }

        service.AdditionalResources.Add(Configuration(cluster));
        foreach (var item in BrokerCertificate.Objects(_access))
        {
            service.AdditionalResources.Add(chart.When($"and {_access.Enabled} {_access.MakesCertificate}", _name, item));
        }

        service.AdditionalResources.Add(chart.When(_access.MakesSecret, _name, new UserSecret(_users)));
        service.AdditionalResources.Add(Policy());
        cluster.AddObjects(service, _access.Enabled);
        _access.RefuseTlsWithoutCertificate();

        // Where the broker is somebody else's, all of this is left out; the Secret belongs to the users, not to the broker.
        BaseKubernetesResource[] own = [set, service.Service, .. service.AdditionalResources.Where(item => item is ConfigMap)];
        foreach (var item in own)
        {
            chart.When(_access.Enabled, _name, item);
        }
    }

    private void ConfigureServer(PodSpecV1 pod, ContainerV1 server)
    {
        server.Image = chart.Values.Text("broker.image", "docker.io/library/rabbitmq:4.3", "Image of the release's own RabbitMQ, 3.10 or newer.");
        server.Resources = PodShape.Need(
            chart.Values.Text("broker.cpu", "500m", "Processors that it needs."),
            chart.Values.Text(Memory, "1Gi", "Its memory; from three fifths of it on publishers have to wait.", HelmFunctions.QuantityPattern));
        server.EnvFrom.Clear();
        server.StartupProbe = Ask("ping", period: 5, failures: 60);
        server.ReadinessProbe = Ask("check_port_connectivity", period: 15, failures: 3);
        server.LivenessProbe = Ask("ping", period: 60, failures: 3);
        server.VolumeMounts.Add(new() { Name = "data", MountPath = DataFolder });
        server.VolumeMounts.Add(new() { Name = "files", MountPath = "/etc/rabbitmq/conf.d/20-agentplatform.conf", SubPath = "agentplatform.conf", ReadOnly = true });
        server.VolumeMounts.Add(new() { Name = "files", MountPath = "/etc/rabbitmq/enabled_plugins", SubPath = "enabled_plugins", ReadOnly = true });
        server.VolumeMounts.Add(new() { Name = "tls", MountPath = TlsFolder, ReadOnly = true });
        pod.Volumes.Add(_access.TlsVolume("tls", "tls.crt", "tls.key", "ca.crt"));
        new BrokerDefinitions(_access, _users).WriteBefore(pod, server, DataFolder);
        pod.Volumes.Add(new() { Name = "files", ConfigMap = new() { Name = ConfigurationName } });
    }

    private PersistentVolumeClaim Claim()
    {
        var claim = new PersistentVolumeClaim { Metadata = { Name = "data" } };
        claim.Spec.StorageClassName = chart.Values.Optional("broker.storageClass", "Class of its volume; empty: the cluster's default.");
        claim.Spec.AccessModes.Add("ReadWriteOnce");
        claim.Spec.Resources.Requests["storage"] = chart.Values.Text(
            Storage, "8Gi", "Size of its volume; with less than an eighth left publishers have to wait.", HelmFunctions.QuantityPattern);
        return claim;
    }

    // KEDA asks for numbers of messages and no other statistics, which the server collects no more by default where it is the official image. The
    // totals do not need them.
    private ConfigMap Configuration(BrokerCluster cluster) => new()
    {
        Metadata = { Name = ConfigurationName },
        Data =
        {
            ["enabled_plugins"] = "[rabbitmq_management,rabbitmq_prometheus].\n",
            ["agentplatform.conf"] = string.Join('\n', (string[])
            [
                $"load_definitions = {BrokerDefinitions.Path}",
                "management_agent.disable_metrics_collector = true",
                "management.enable_queue_totals = true",

                // The server does not know how much of the node is its own. Above this share of it publishers have to wait.
                $"vm_memory_high_watermark.absolute = {HelmFunctions.Share(Memory, times: 3, by: 5)}",

                // Messages are in memory until the log that they are in is full, and the one before it is written out: several logs must
                // fit.
                $"raft.wal_max_size_bytes = {HelmFunctions.Share(Memory, by: 16, least: LocalBrokerMemory.LeastLog, most: LocalBrokerMemory.MostLog)}",

                // A full disk ends the server; short of it publishers have to wait.
                $"disk_free_limit.absolute = {HelmFunctions.Share(Storage, by: 8)}",
                "",
            ]) + cluster.Configuration() + Encryption(),
        },
    };

    // The management API, which KEDA alone asks, stays as it is. Clients show passwords, not certificates.
    private string Encryption() => $"{{{{ if {_access.IsEncrypted} }}}}"
        + $"{{{{ if {_access.IsEncryptedOnly} }}}}listeners.tcp = none\n{{{{ end }}}}" + string.Join('\n', (string[])
    [
        "listeners.ssl.default = 5671",
        $"ssl_options.cacertfile = {TlsFolder}/ca.crt",
        $"ssl_options.certfile = {TlsFolder}/tls.crt",
        $"ssl_options.keyfile = {TlsFolder}/tls.key",
        "ssl_options.verify = verify_none",
        "ssl_options.fail_if_no_peer_cert = false",
        "{{ end }}",
    ]);

    private static ProbeV1 Ask(string check, int period, int failures) => new()
    {
        Exec = new() { Command = { "rabbitmq-diagnostics", "--quiet", check } },
        PeriodSeconds = period,
        TimeoutSeconds = 15,
        FailureThreshold = failures,
    };

    private NetworkPolicy Policy() => chart.When(
        $"and {NetworkPolicy.Enabled(chart)} {_access.Enabled}", _name, new NetworkPolicy($"{_name}-network", ComponentLabels.Select(_name))
            .From(NetworkPeer.Release(), BrokerAccess.ServerPorts)
            .From(NetworkPeer.Namespace(chart.Values.Text("keda.namespace", "keda", "Namespace of KEDA, whose operator asks the broker.")), Text(ManagementPort))
            .ToNames(chart));

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    /// <summary>Passwords of the broker's users, random at the first installation and the same ever after.</summary>
    private sealed class UserSecret(IEnumerable<BrokerUser> users) : NamedObject("v1", "Secret", BrokerAccess.OwnSecret)
    {
        public string Type { get; } = "Opaque";

        public IReadOnlyDictionary<string, string> Data { get; } = users.Select(user => KeyValuePair.Create(user.PasswordKey, Random(user.PasswordKey)))
            .Append(new(BrokerCluster.CookieKey, Random(BrokerCluster.CookieKey)))
            .Append(new("scaler-username", $"{{{{ `{BrokerUser.Scaler.Name}` | b64enc }}}}")).ToDictionary();

        private static string Random(string key) =>
            $"{{{{ get (default dict (get (lookup `v1` `Secret` .Release.Namespace `{BrokerAccess.OwnSecret}`) `data`)) `{key}` | default (randAlphaNum 32 | b64enc) }}}}";
    }
}

internal static class BrokerPodsExtensions
{
    /// <summary>Gives the broker its shape in the chart that is published, if one is.</summary>
    public static IResourceBuilder<T> PublishAsBroker<T>(this IResourceBuilder<T> broker, KubernetesChart? chart) where T : IResource
    {
        if (chart is not null && broker.Resource is RabbitMQServerResource server)
        {
            broker.ApplicationBuilder.CreateResourceBuilder(server)
                .PublishAsKubernetesService(service => new BrokerPods(chart, server).Configure(service));
        }

        return broker;
    }
}
