using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace AgentPlatform.Messaging.Broker;

/// <summary>Unhealthy while the broker is away.</summary>
internal sealed class BrokerHealth(BrokerState state) : IHealthCheck
{
    /// <inheritdoc/>
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
        Task.FromResult(state.IsOpen
            ? HealthCheckResult.Healthy()
            : new HealthCheckResult(context.Registration.FailureStatus, "The broker is away."));
}
