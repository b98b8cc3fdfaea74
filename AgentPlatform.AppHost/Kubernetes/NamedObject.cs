using Aspire.Hosting.Kubernetes.Resources;

namespace AgentPlatform.AppHost.Kubernetes;

/// <summary>An object of a kind that Aspire has no type for, or one whose fields are numbers that values.yaml gives. Properties are written in camel case.</summary>
internal abstract class NamedObject : BaseKubernetesResource
{
    protected NamedObject(string apiVersion, string kind, string name) : base(apiVersion, kind) => Metadata.Name = name;
}

/// <summary>Labels that Aspire gives to all objects and pods of a resource.</summary>
internal static class ComponentLabels
{
    /// <summary>Those of the pods of one resource of this release.</summary>
    public static Dictionary<string, string> Of(string component) => new()
    {
        ["app.kubernetes.io/name"] = "{{ .Chart.Name }}",
        ["app.kubernetes.io/component"] = component,
        ["app.kubernetes.io/instance"] = "{{ .Release.Name }}",
    };

    /// <summary>A selector of the pods of one resource. A new one for each use: YAML would write a shared one as a reference.</summary>
    public static LabelSelectorV1 Select(string component) => SelectLabels(Of(component));

    /// <summary>A selector of pods.</summary>
    public static LabelSelectorV1 SelectLabels(Dictionary<string, string> labels)
    {
        var selector = new LabelSelectorV1();
        foreach (var (key, value) in labels)
        {
            selector.MatchLabels[key] = value;
        }

        return selector;
    }
}

/// <summary>How many pods must be left while nodes are emptied.</summary>
internal sealed class PodDisruptionBudget(string component) : NamedObject("policy/v1", "PodDisruptionBudget", $"{component}-disruption")
{
    public BudgetSpec Spec { get; } = new(ComponentLabels.Select(component));

    internal sealed class BudgetSpec(LabelSelectorV1 selector)
    {
        public int MaxUnavailable { get; } = 1;

        // A pod that is not ready serves nobody, and must not keep a node from being emptied.
        public string UnhealthyPodEvictionPolicy { get; } = "AlwaysAllow";

        public LabelSelectorV1 Selector { get; } = selector;
    }
}

/// <summary>Scales a Deployment on the processor time of its pods.</summary>
internal sealed class CpuAutoscaler(string component, string minReplicas, string maxReplicas, string cpuPercent)
    : NamedObject("autoscaling/v2", "HorizontalPodAutoscaler", $"{component}-autoscaler")
{
    public AutoscalerSpec Spec { get; } = new($"{component}-deployment", minReplicas, maxReplicas, cpuPercent);

    internal sealed class AutoscalerSpec(string deployment, string minReplicas, string maxReplicas, string cpuPercent)
    {
        public Target ScaleTargetRef { get; } = new(deployment);

        public string MinReplicas { get; } = minReplicas;

        public string MaxReplicas { get; } = maxReplicas;

        public IReadOnlyList<Metric> Metrics { get; } = [new(new("cpu", new("Utilization", cpuPercent)))];

        public ScalingBehavior Behavior { get; } = new(new(StabilizationWindowSeconds: 300));
    }

    internal sealed record Target(string Name)
    {
        public string ApiVersion { get; } = "apps/v1";

        public string Kind { get; } = "Deployment";
    }

    internal sealed record Metric(ResourceMetric Resource)
    {
        public string Type { get; } = "Resource";
    }

    internal sealed record ResourceMetric(string Name, MetricTarget Target);

    internal sealed record MetricTarget(string Type, string AverageUtilization);
}

/// <summary>How quickly an autoscaler takes pods away.</summary>
internal sealed record ScalingBehavior(ScalingRules ScaleDown);

/// <summary>How long the wish for fewer pods must last.</summary>
internal sealed record ScalingRules(object StabilizationWindowSeconds);

/// <summary>Clients of other networks reach a service by a host name.</summary>
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
