namespace AgentPlatform.AppHost.Kubernetes.Objects;

/// <summary>How quickly an autoscaler takes pods away.</summary>
internal sealed record ScalingBehavior(ScalingRules ScaleDown);

/// <summary>How long the wish for fewer pods must last.</summary>
internal sealed record ScalingRules(object StabilizationWindowSeconds);
