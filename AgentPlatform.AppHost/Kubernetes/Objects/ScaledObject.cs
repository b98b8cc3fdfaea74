namespace AgentPlatform.AppHost.Kubernetes.Objects;

/// <summary>
/// Scales a Deployment, from zero, on the length of a RabbitMQ queue. KEDA makes a HorizontalPodAutoscaler of it, which wants as many pods as
/// jobs (waiting ones and running ones) divided by the jobs for each.
/// </summary>
/// <seealso href="https://keda.sh/docs/latest/reference/scaledobject-spec/"/>
internal sealed class ScaledObject(string component, ScaledObject.ScalingSpec spec) : NamedObject("keda.sh/v1alpha1", "ScaledObject", $"{component}-scaling")
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

    /// <summary>What holds while the broker does not tell the length.</summary>
    internal sealed record FallbackSpec(int FailureThreshold, string Replicas)
    {
        // Workers that compute must not be taken away because nobody can see them.
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
