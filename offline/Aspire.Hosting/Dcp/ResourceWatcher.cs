using System.Text.Json.Serialization.Metadata;
using Aspire.Hosting.ApplicationModel;
using Microsoft.Extensions.Logging;

namespace Aspire.Hosting.Dcp;

/// <summary>Tells what DCP says of its processes.</summary>
internal sealed class ResourceWatcher(DcpClient dcp, IReadOnlyList<ResourceInstance> instances, ResourceNotificationService notifications, ILogger logger)
{
    /// <summary>Watches until <paramref name="cancellationToken"/> is cancelled; throws <see cref="HttpRequestException"/> when the server is gone.</summary>
    public Task RunAsync(CancellationToken cancellationToken)
    {
        var executables = WatchAsync("executables", DcpJson.Default.WatchedChangeDcpObjectExecutableSpecProcessStatus, cancellationToken);
        return instances.Any(instance => instance.Resource is ContainerResource)
            ? Task.WhenAny(executables, WatchAsync("containers", DcpJson.Default.WatchedChangeDcpObjectContainerSpecProcessStatus, cancellationToken)).Unwrap()
            : executables;
    }

    private async Task WatchAsync<TSpec>(
        string plural, JsonTypeInfo<WatchedChange<DcpObject<TSpec, ProcessStatus>>> type, CancellationToken cancellationToken)
    {
        // A server ends a watch now and then; the next one begins with everything again.
        while (true)
        {
            try
            {
                await foreach (var change in dcp.WatchAsync(plural, type, cancellationToken))
                {
                    if (change is { Type: "ADDED" or "MODIFIED", Object.Status: { State.Length: > 0 } status }
                        && instances.FirstOrDefault(instance => instance.Name == change.Object.Metadata.Name) is { } instance)
                    {
                        Tell(instance, status);
                    }
                }
            }
            catch (IOException)
            {
                // Cut off in the middle: the next call tells whether the server is still there.
            }
        }
    }

    private void Tell(ResourceInstance instance, ProcessStatus status)
    {
        var reported = status.State switch
        {
            "Running" => KnownResourceStates.Running,
            "Terminated" or "Exited" => KnownResourceStates.Exited,
            "Finished" => KnownResourceStates.Finished,
            "FailedToStart" or "RuntimeUnhealthy" => KnownResourceStates.FailedToStart,
            "Stopping" => KnownResourceStates.Stopping,
            _ => KnownResourceStates.Starting,
        };
        notifications.Publish(instance.Resource, instance.Name, snapshot =>
        {
            // A process that ends because it was told to is not one that ended by itself.
            var wasTold = snapshot.State?.Text == KnownResourceStates.Stopping || snapshot.State?.Text == KnownResourceStates.Exited;
            var state = wasTold && reported == KnownResourceStates.Finished ? KnownResourceStates.Exited : reported;
            var isRunning = state == KnownResourceStates.Running;
            if (snapshot.State?.Text == state)
            {
                return snapshot;
            }

            if (state == KnownResourceStates.FailedToStart)
            {
                Log.FailedToStart(logger, instance.Name, status.Message
                    ?? (status.State == "RuntimeUnhealthy" ? "no container runtime answers, or it is too old ('docker info' tells)" : "the program cannot be started"));
            }
            else if (state == KnownResourceStates.Finished)
            {
                Log.Ended(logger, instance.Name, status.ExitCode);
            }

            return snapshot with
            {
                State = new ResourceStateSnapshot(state),
                ExitCode = KnownResourceStates.IsTerminal(state) ? status.ExitCode : null,
                StartedAt = status.StartupTimestamp,
                StoppedAt = status.FinishTimestamp,
                EnvironmentVariables = Effective(snapshot, status),
                Properties = [.. snapshot.Properties.Where(property => property.Key != "executable.pid"), new("executable.pid", status.Pid)],
                HealthReports = isRunning ? snapshot.HealthReports : [.. snapshot.HealthReports.Select(report => report with { Status = null })],
                Urls = [.. snapshot.Urls.Select(url => url with { IsInactive = !isRunning })],
            };
        });
    }

    private static System.Collections.Immutable.ImmutableArray<KeyValuePair<string, string>> Effective(CustomResourceSnapshot snapshot, ProcessStatus status)
    {
        var effective = status.EffectiveEnv?.GroupBy(variable => variable.Name).ToDictionary(group => group.Key, group => group.Last().Value);
        return [.. snapshot.EnvironmentVariables.Select(variable => KeyValuePair.Create(
            variable.Key, effective?.GetValueOrDefault(variable.Key) ?? variable.Value))];
    }
}
