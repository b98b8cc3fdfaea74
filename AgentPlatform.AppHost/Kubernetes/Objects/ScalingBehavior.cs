namespace AgentPlatform.AppHost.Kubernetes.Objects;

/// <summary>How an autoscaler scales down.</summary>
internal sealed record ScalingBehavior(ScalingRules ScaleDown);

/// <summary>Rules for one direction of scaling.</summary>
/// <param name="StabilizationWindowSeconds">How long fewer pods must have been enough; a number or an expression.</param>
internal sealed record ScalingRules(object StabilizationWindowSeconds);
