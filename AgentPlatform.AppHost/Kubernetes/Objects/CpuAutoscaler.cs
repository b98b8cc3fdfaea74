namespace AgentPlatform.AppHost.Kubernetes.Objects;

/// <summary>A HorizontalPodAutoscaler that scales a Deployment on the CPU usage of its pods.</summary>
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
