using System.Globalization;
using AgentPlatform.AppHost.Broker;
using AgentPlatform.AppHost.Kubernetes.Chart;
using AgentPlatform.AppHost.Kubernetes.Objects;
using AgentPlatform.AppHost.Kubernetes.Pods;
using Aspire.Hosting.Kubernetes;
using Aspire.Hosting.Kubernetes.Resources;

namespace AgentPlatform.AppHost.Kubernetes.Broker;

/// <summary>
/// The release's own RabbitMQ, if values.yaml enables it: nodes with a volume each, a user for each role, and the management API for
/// KEDA. An existing RabbitMQ needs the same users.
/// </summary>
internal sealed class BrokerPods(KubernetesChart chart, IResource broker)
{
    /// <summary>Value of the component label of its pods.</summary>
    public const string Component = "messaging";

    private const int ManagementPort = 15672;
    private const string Memory = "broker.memory";
    private const string Storage = "broker.storage";
    private const string DataFolder = "/var/lib/rabbitmq";
    private const string TlsFolder = "/etc/rabbitmq/tls";
    private const string ConfigurationName = $"{Component}-files";

    // User ID of RabbitMQ's official image.
    private const long User = 999;

    // Both ports of AMQP, whether or not the broker listens there: during an upgrade to TLS clients still connect without it.
    private static readonly (string Name, int Number)[] _ports =
        [("tcp", BrokerAccess.PlainPort), ("amqps", BrokerAccess.TlsPort), ("management", ManagementPort)];

    private readonly string _name = broker.Name;
    private readonly BrokerAccess _access = new(chart);
    private readonly IReadOnlyList<BrokerUser> _users = [BrokerUser.Gateway, BrokerUser.Scaler, .. broker.Annotations.OfType<BrokerUser>()];

    /// <summary>Configures the objects that Aspire generates for the broker, and adds the others.</summary>
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

        // With an existing broker all of these are left out. The Secret is not: gateways and workers need the passwords.
        BaseKubernetesResource[] own = [set, service.Service, .. service.AdditionalResources.Where(item => item is ConfigMap)];
        foreach (var item in own)
        {
            chart.When(_access.Enabled, _name, item);
        }
    }

    private void ConfigureServer(PodSpecV1 pod, ContainerV1 server)
    {
        server.Image = chart.Values.Text(
            "broker.image", "docker.io/library/rabbitmq:4.3", "Image of the release's own RabbitMQ, 3.10 or newer.");
        server.Resources = PodShape.Resources(
            chart.Values.Text("broker.cpu", "500m", "Processors that it needs."),
            chart.Values.Text(
                Memory, "1Gi", "Its memory; from three fifths of it on publishers have to wait.", HelmFunctions.QuantityPattern));
        server.EnvFrom.Clear();
        server.StartupProbe = DiagnosticsProbe("ping", period: 5, failures: 60);
        server.ReadinessProbe = DiagnosticsProbe("check_port_connectivity", period: 15, failures: 3);
        server.LivenessProbe = DiagnosticsProbe("ping", period: 60, failures: 3);
        server.VolumeMounts.Add(new() { Name = "data", MountPath = DataFolder });
        MountFile(server, "agentplatform.conf", "/etc/rabbitmq/conf.d/20-agentplatform.conf");
        MountFile(server, "enabled_plugins", "/etc/rabbitmq/enabled_plugins");
        server.VolumeMounts.Add(new() { Name = "tls", MountPath = TlsFolder, ReadOnly = true });
        pod.Volumes.Add(_access.TlsVolume("tls", "tls.crt", "tls.key", "ca.crt"));
        new BrokerDefinitions(_access, _users).WriteBefore(pod, server, DataFolder);
        pod.Volumes.Add(new() { Name = "files", ConfigMap = new() { Name = ConfigurationName } });
    }

    private static void MountFile(ContainerV1 server, string file, string path) =>
        server.VolumeMounts.Add(new() { Name = "files", MountPath = path, SubPath = file, ReadOnly = true });

    private PersistentVolumeClaim Claim()
    {
        var claim = new PersistentVolumeClaim { Metadata = { Name = "data" } };
        claim.Spec.StorageClassName = chart.Values.Optional("broker.storageClass", "Class of its volume; empty: the cluster's default.");
        claim.Spec.AccessModes.Add("ReadWriteOnce");
        claim.Spec.Resources.Requests["storage"] = chart.Values.Text(
            Storage, "8Gi", "Size of its volume; with less than an eighth left publishers have to wait.", HelmFunctions.QuantityPattern);
        return claim;
    }

    // KEDA reads only the number of messages. RabbitMQ's official image collects no other statistics by default, and totals need none.
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

                // The server does not know its memory limit. Above this much memory it blocks publishers.
                $"vm_memory_high_watermark.absolute = {HelmFunctions.Share(Memory, times: 3, by: 5)}",

                // Messages stay in memory until their write-ahead log is full and the previous one is on disk, so several logs must fit.
                $"raft.wal_max_size_bytes = {LogSize()}",

                // A full disk stops the server, so it blocks publishers before.
                $"disk_free_limit.absolute = {HelmFunctions.Share(Storage, by: 8)}",
                "",
            ]) + cluster.Configuration() + Encryption(),
        },
    };

    private static string LogSize() =>
        HelmFunctions.Share(Memory, by: 16, min: LocalBrokerMemory.MinLogBytes, max: LocalBrokerMemory.MaxLogBytes);

    // The management API, which only KEDA uses, stays without TLS. Clients authenticate with passwords, not with certificates.
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

    private static ProbeV1 DiagnosticsProbe(string check, int period, int failures) => new()
    {
        Exec = new() { Command = { "rabbitmq-diagnostics", "--quiet", check } },
        PeriodSeconds = period,
        TimeoutSeconds = 15,
        FailureThreshold = failures,
    };

    private NetworkPolicy Policy()
    {
        var condition = $"and {NetworkPolicy.Enabled(chart)} {_access.Enabled}";
        var keda = chart.Values.Text("keda.namespace", "keda", "Namespace of KEDA, whose operator asks the broker.");
        return chart.When(condition, _name, new NetworkPolicy($"{_name}-network", ComponentLabels.Select(_name))
            .From(NetworkPeer.Release(), BrokerAccess.ServerPorts)
            .From(NetworkPeer.Namespace(keda), Text(ManagementPort))
            .ToDns(chart));
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    /// <summary>The passwords of the broker's users: random at the first installation, and kept by upgrades.</summary>
    private sealed class UserSecret(IEnumerable<BrokerUser> users) : NamedObject("v1", "Secret", BrokerAccess.OwnSecret)
    {
        public string Type { get; } = "Opaque";

        public IReadOnlyDictionary<string, string> Data { get; } = users
            .Select(user => KeyValuePair.Create(user.PasswordKey, Random(user.PasswordKey)))
            .Append(new(BrokerCluster.CookieKey, Random(BrokerCluster.CookieKey)))
            .Append(new("scaler-username", $"{{{{ `{BrokerUser.Scaler.Name}` | b64enc }}}}")).ToDictionary();

        private static string Random(string key) =>
            $"{{{{ get (default dict (get (lookup `v1` `Secret` .Release.Namespace `{BrokerAccess.OwnSecret}`) `data`)) `{key}` "
            + "| default (randAlphaNum 32 | b64enc) }}";
    }
}

internal static class BrokerPodsExtensions
{
    /// <summary>Configures the broker in the chart, if one is published.</summary>
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
