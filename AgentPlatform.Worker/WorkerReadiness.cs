using AgentPlatform.Messaging.Jobs;
using AgentPlatform.Worker.Engines;
using AgentPlatform.Worker.Stopping;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace AgentPlatform.Worker;

/// <summary>Ready: the engine is loaded and warmed, and the broker, if there is one, sends jobs here.</summary>
internal sealed class WorkerReadiness(EngineState engine, DrainClock drain, IServiceProvider services) : IHealthCheck
{
    // A worker without a broker has no consumer.
    private readonly JobConsumer? _consumer = services.GetService<JobConsumer>();

    /// <inheritdoc/>
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        var reason = !engine.IsReady ? "The engine is not loaded yet."
            : drain.Began.IsCancellationRequested ? "The worker is stopping."
            : _consumer is { IsAttached: false } ? "The broker does not send jobs here yet."
            : null;
        return Task.FromResult(reason is null ? HealthCheckResult.Healthy() : new HealthCheckResult(context.Registration.FailureStatus, reason));
    }
}
