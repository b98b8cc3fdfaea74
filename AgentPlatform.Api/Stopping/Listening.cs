using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace AgentPlatform.Api.Stopping;

/// <summary>
/// Keeps the port open for a while after the signal to stop. The host asks this before it stops any service, and stops the server,
/// which was added last, before all others: what requests need, such as the connection to the broker, outlives them.
/// </summary>
internal sealed class Listening(
    DrainClock drain, IHostApplicationLifetime lifetime, IOptions<StoppingOptions> options, TimeProvider time) : IHostedLifecycleService
{
    /// <inheritdoc/>
    public async Task StoppingAsync(CancellationToken cancellationToken)
    {
        lifetime.StopApplication(); // A host that is stopped by a call would begin the drain only after this.
        await Task.Delay(options.Value.ListenTime, time, drain.Over).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    Task IHostedLifecycleService.StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    Task IHostedLifecycleService.StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    Task IHostedLifecycleService.StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    Task IHostedService.StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    Task IHostedService.StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
