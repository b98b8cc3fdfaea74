using AgentPlatform.AppHost.Kubernetes.Chart;
using AgentPlatform.AppHost.Kubernetes.Objects;
using Aspire.Hosting.Kubernetes;
using Aspire.Hosting.Kubernetes.Resources;

namespace AgentPlatform.AppHost.Kubernetes.Pods;

/// <summary>What all pods of the platform have in common.</summary>
internal static class PodShape
{
    /// <summary>User of .NET's images.</summary>
    public const long DotnetUser = 1654;

    /// <summary>Port that gateway and workers listen on, by the name that Aspire gives it.</summary>
    public const string HttpPort = "http";

    private const string Health = "/health";
    private const string Readiness = "/ready";
    private const string Liveness = "/alive";

    /// <summary>Makes pods satisfy the restricted pod security standard, spreads them, and lets them write nowhere but /tmp.</summary>
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

    /// <summary>The same for one container.</summary>
    public static void Restrict(ContainerV1 container)
    {
        container.SecurityContext = new() { AllowPrivilegeEscalation = false, ReadOnlyRootFilesystem = true, Capabilities = new() { Drop = { "ALL" } } };
        container.VolumeMounts.Add(new() { Name = "tmp", MountPath = "/tmp" });
    }

    /// <summary>
    /// Asks a service of ours for its state, and lets it start for as long as it may. It has started when it has met its broker; that it
    /// stays ready does not hang on what all of its kind share.
    /// </summary>
    public static void Probe(ContainerV1 container, TimeSpan startup)
    {
        const int Period = 5;
        container.StartupProbe = Http(Health, HttpPort, Period, failures: (int)Math.Ceiling(startup.TotalSeconds / Period));
        container.ReadinessProbe = Http(Readiness, HttpPort, Period, failures: 2);
        container.LivenessProbe = Http(Liveness, HttpPort, period: 10, failures: 6);
    }

    /// <summary>A probe by HTTP.</summary>
    public static ProbeV1 Http(string path, Int32OrStringV1? port, int period, int failures) => new()
    {
        HttpGet = new() { Scheme = "HTTP", Path = path, Port = port },
        PeriodSeconds = period,
        TimeoutSeconds = 3,
        FailureThreshold = failures,
    };

    /// <summary>A pause before the signal to stop, so that whoever sends requests has heard by then that the pod ends.</summary>
    public static LifecycleV1 PauseBeforeStop(TimeSpan pause) => new()
    {
        PreStop = new() { Sleep = new() { Seconds = (long)pause.TotalSeconds }, Exec = null!, HttpGet = null!, TcpSocket = null! },
    };

    /// <summary>Replaces pods in a way that leaves no gap: a new one first, or an old one first where there is no room for one more.</summary>
    public static DeploymentStrategyV1 Replace(bool surge) => new()
    {
        Type = "RollingUpdate",
        RollingUpdate = surge ? new() { MaxSurge = 1, MaxUnavailable = 0 } : new() { MaxSurge = 0, MaxUnavailable = 1 },
    };

    /// <summary>Sends telemetry where values.yaml says, which is nowhere by default, and makes a change of settings replace the pods.</summary>
    public static void Configure(KubernetesChart chart, KubernetesResource service, ContainerV1 container, string component)
    {
        var endpoint = chart.Values.Text("telemetry.otlpEndpoint", "", "OTLP collector for traces, metrics and logs (gRPC), such as http://collector.observability:4317; empty: none.");
        container.Env.Add(new() { Name = "OTEL_SERVICE_NAME", Value = component });
        container.Env.Add(new() { Name = "OTEL_EXPORTER_OTLP_ENDPOINT", Value = endpoint });
        service.Workload!.PodTemplate.Metadata.Annotations["checksum/config"] = $"{{{{ .Values.config.{ChartValues.Key(component)} | toJson | sha256sum }}}}";
    }

    /// <summary>Processors that a container needs, and memory that it needs and is limited to.</summary>
    public static ResourceRequirementsV1 Need(string cpu, string memory) => new() { Requests = { ["cpu"] = cpu, ["memory"] = memory }, Limits = { ["memory"] = memory } };
}
