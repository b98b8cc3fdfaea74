using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace AgentPlatform.Api.Stopping;

/// <summary>Ready until the process is told to stop.</summary>
internal sealed class StoppingReadiness(DrainClock drain) : IHealthCheck
{
    /// <inheritdoc/>
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
        Task.FromResult(
        drain.Began.IsCancellationRequested
            ? new HealthCheckResult(context.Registration.FailureStatus, "The process is stopping.")
            : HealthCheckResult.Healthy());
}
