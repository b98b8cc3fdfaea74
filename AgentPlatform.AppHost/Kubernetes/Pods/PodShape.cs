using AgentPlatform.AppHost.Kubernetes.Chart;
using AgentPlatform.AppHost.Kubernetes.Objects;
using Aspire.Hosting.Kubernetes;
using Aspire.Hosting.Kubernetes.Resources;

namespace AgentPlatform.AppHost.Kubernetes.Pods;

/// <summary>What all pods of the platform have in common.</summary>
internal static class PodShape
{
    /// <summary>User ID of .NET's images.</summary>
    public const long DotnetUser = 1654;

    /// <summary>Aspire's name of the port that gateways and workers listen on.</summary>
    public const string HttpPort = "http";

    private const string Health = "/health";
    private const string Readiness = "/ready";
    private const string Liveness = "/alive";

    /// <summary>
    /// Makes pods comply with the restricted pod security standard, with /tmp as the only writable folder, and spreads them over nodes.
    /// </summary>
    /// <param name="service">The objects of the resource.</param>
    /// <param name="component">Name of the resource.</param>
    /// <param name="user">ID of the user and group that the pods run as.</param>
    /// <returns>The specification of the pods.</returns>
    public static PodSpecV1 Restrict(KubernetesResource service, string component, long user)
    {
        var pod = service.Workload!.PodTemplate.Spec;
        pod.AutomountServiceAccountToken = false;
        pod.EnableServiceLinks = false;
        pod.SecurityContext = new()
        {
            RunAsNonRoot = true,
            RunAsUser = user,
            RunAsGroup = user,
            FsGroup = user,
            FsGroupChangePolicy = "OnRootMismatch",
            SeccompProfile = new() { Type = "RuntimeDefault" },
        };
        pod.TopologySpreadConstraints.Add(new()
        {
            MaxSkew = 1,
            TopologyKey = "kubernetes.io/hostname",
            WhenUnsatisfiable = "ScheduleAnyway",
            LabelSelector = ComponentLabels.Select(component),
        });
        pod.Volumes.Add(new() { Name = "tmp", EmptyDir = new() { SizeLimit = "1Gi" } });
        Restrict(pod.Containers[0]);
        return pod;
    }

    /// <summary>Makes a container comply with the restricted pod security standard, with /tmp as the only writable folder.</summary>
    public static void Restrict(ContainerV1 container)
    {
        container.SecurityContext = new()
        {
            AllowPrivilegeEscalation = false,
            ReadOnlyRootFilesystem = true,
            Capabilities = new() { Drop = { "ALL" } },
        };
        container.VolumeMounts.Add(new() { Name = "tmp", MountPath = "/tmp" });
    }

    /// <summary>
    /// Adds the probes of a gateway or worker. It has started once it is connected to the broker; afterwards readiness does not depend on
    /// the broker, whose failure would make all pods unready at once.
    /// </summary>
    /// <param name="container">The container.</param>
    /// <param name="startup">How long it may take to start.</param>
    public static void AddProbes(ContainerV1 container, TimeSpan startup)
    {
        const int Period = 5;
        container.StartupProbe = HttpProbe(Health, HttpPort, Period, failures: (int)Math.Ceiling(startup.TotalSeconds / Period));
        container.ReadinessProbe = HttpProbe(Readiness, HttpPort, Period, failures: 2);
        container.LivenessProbe = HttpProbe(Liveness, HttpPort, period: 10, failures: 6);
    }

    private static ProbeV1 HttpProbe(string path, Int32OrStringV1? port, int period, int failures) => new()
    {
        HttpGet = new() { Scheme = "HTTP", Path = path, Port = port },
        PeriodSeconds = period,
        TimeoutSeconds = 3,
        FailureThreshold = failures,
    };

    /// <summary>A pause before the signal to stop, in which all senders learn that the pod is stopping.</summary>
    public static LifecycleV1 PauseBeforeStop(TimeSpan pause) => new()
    {
        PreStop = new() { Sleep = new() { Seconds = (long)pause.TotalSeconds }, Exec = null!, HttpGet = null!, TcpSocket = null! },
    };

    /// <summary>Replaces pods one at a time.</summary>
    /// <param name="surge">
    /// Whether the new pod starts before the old one stops; false if the cluster may have no room for another pod.
    /// </param>
    public static DeploymentStrategyV1 RollingUpdate(bool surge) => new()
    {
        Type = "RollingUpdate",
        RollingUpdate = surge ? new() { MaxSurge = 1, MaxUnavailable = 0 } : new() { MaxSurge = 0, MaxUnavailable = 1 },
    };

    /// <summary>
    /// Adds the settings that gateways and workers share: telemetry, which is off by default, and a checksum, so that changed settings
    /// replace the pods.
    /// </summary>
    public static void AddSettings(KubernetesChart chart, KubernetesResource service, ContainerV1 container, string component)
    {
        var endpoint = chart.Values.Text(
            "telemetry.otlpEndpoint",
            "",
            "OTLP collector for traces, metrics and logs (gRPC), such as http://collector.observability:4317; empty: none.");
        container.Env.Add(new() { Name = "OTEL_SERVICE_NAME", Value = component });
        container.Env.Add(new() { Name = "OTEL_EXPORTER_OTLP_ENDPOINT", Value = endpoint });
        var annotations = service.Workload!.PodTemplate.Metadata.Annotations;
        annotations["checksum/config"] = $"{{{{ .Values.config.{ChartValues.Key(component)} | toJson | sha256sum }}}}";
    }

    /// <summary>Requests CPU and memory for a container, and limits its memory to the same amount.</summary>
    public static ResourceRequirementsV1 Resources(string cpu, string memory) => new()
    {
        Requests = { ["cpu"] = cpu, ["memory"] = memory },
        Limits = { ["memory"] = memory },
    };
}
