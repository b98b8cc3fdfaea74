namespace AgentPlatform.AppHost.Kubernetes.Objects;

/// <summary>
/// Scales a Deployment, from zero, on the length of a RabbitMQ queue. KEDA creates a HorizontalPodAutoscaler from it, whose target is the
/// number of jobs, waiting and running, divided by the jobs per pod.
/// </summary>
/// <seealso href="https://keda.sh/docs/latest/reference/scaledobject-spec/"/>
internal sealed class ScaledObject(string component, ScaledObject.ScalingSpec spec)
    : NamedObject("keda.sh/v1alpha1", "ScaledObject", $"{component}-scaling")
{
    public ScalingSpec Spec { get; } = spec;

    internal sealed class ScalingSpec
    {
        public required ScaleTarget ScaleTargetRef { get; init; }

        public required string PollingInterval { get; init; }

        public required string CooldownPeriod { get; init; }

        public required string MinReplicaCount { get; init; }

        public required string MaxReplicaCount { get; init; }

        public required FallbackSpec Fallback { get; init; }

        public required AdvancedSpec Advanced { get; init; }

        public required IReadOnlyList<Trigger> Triggers { get; init; }
    }

    internal sealed record ScaleTarget(string Name);

    /// <summary>The replicas while KEDA cannot read the length of the queue.</summary>
    internal sealed record FallbackSpec(int FailureThreshold, string Replicas)
    {
        // Busy workers must not be removed because their jobs cannot be counted.
        public string Behavior { get; } = "currentReplicasIfHigher";
    }

    internal sealed record AdvancedSpec(AutoscalerConfig HorizontalPodAutoscalerConfig);

    internal sealed record AutoscalerConfig(ScalingBehavior Behavior);

    internal sealed record Trigger(IReadOnlyDictionary<string, string> Metadata, AuthenticationReference AuthenticationRef)
    {
        public string Type { get; } = "rabbitmq";
    }

    internal sealed record AuthenticationReference(string Name);
}
