using AgentPlatform.Messaging.Broker;
using AgentPlatform.Worker.Engines.Running;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace AgentPlatform.Worker;

/// <summary>
/// Ready, until the process is told to stop: the engine is loaded and warmed, and the broker, if there is one, sends jobs here.
/// </summary>
internal sealed class WorkerReadiness(EngineState engine, IServiceProvider services) : IHealthCheck
{
    // A worker without a broker takes no jobs.
    private readonly IJobReceiver? _receiver = services.GetService<IJobReceiver>();

    /// <inheritdoc/>
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        var reason = !engine.IsReady ? "The engine is not loaded yet."
            : _receiver is { IsAttached: false } ? "The broker does not send jobs here yet."
            : null;
        return Task.FromResult(
            reason is null ? HealthCheckResult.Healthy() : new HealthCheckResult(context.Registration.FailureStatus, reason));
    }
}
