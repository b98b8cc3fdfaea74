using System.Collections.Immutable;
using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Eventing;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Aspire.Hosting.Health;

/// <summary>Runs the health checks of resources while they run, often until they are healthy for the first time.</summary>
internal sealed class ResourceHealthMonitor(
    HealthCheckService checks, ResourceNotificationService notifications, DistributedApplicationEventing eventing, IServiceProvider services, TimeProvider time)
{
    private static readonly TimeSpan _untilHealthy = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan _afterwards = TimeSpan.FromSeconds(5);

    public Task RunAsync(IReadOnlyList<IResource> resources, CancellationToken cancellationToken) =>
        Task.WhenAll(resources.Select(resource => WatchAsync(resource, cancellationToken)));

    private async Task WatchAsync(IResource resource, CancellationToken cancellationToken)
    {
        var keys = resource.Annotations.OfType<HealthCheckAnnotation>().Select(check => check.Key).ToHashSet(StringComparer.Ordinal);
        while (true)
        {
            await notifications.WaitForResourceAsync(resource.Name, change => IsRunning(change), cancellationToken);
            var isReady = false;
            while (notifications.Current.Any(change => change.Resource == resource && IsRunning(change)))
            {
                var isHealthy = keys.Count == 0 || await CheckAsync(resource, keys, cancellationToken);
                if (isHealthy && !isReady)
                {
                    isReady = true;
                    await eventing.PublishAsync(new ResourceReadyEvent(resource, services), cancellationToken);
                }

                await Task.Delay(isHealthy ? _afterwards : _untilHealthy, time, cancellationToken);
            }
        }
    }

    private static bool IsRunning(ResourceEvent change) => change.Snapshot.State?.Text == KnownResourceStates.Running;

    private async Task<bool> CheckAsync(IResource resource, HashSet<string> keys, CancellationToken cancellationToken)
    {
        var report = await checks.CheckHealthAsync(registration => keys.Contains(registration.Name), cancellationToken);
        var now = time.GetUtcNow();
        ImmutableArray<HealthReportSnapshot> reports = [.. report.Entries.Select(entry => new HealthReportSnapshot(
            entry.Key, entry.Value.Status, entry.Value.Description, entry.Value.Exception?.Message, now))];
        foreach (var change in notifications.Current.Where(change => change.Resource == resource && IsRunning(change)))
        {
            // It may have ended while the checks ran.
            notifications.Publish(resource, change.ResourceId, snapshot =>
                snapshot.State?.Text == KnownResourceStates.Running ? snapshot with { HealthReports = reports } : snapshot);
        }

        return report.Status == HealthStatus.Healthy;
    }
}
