using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Aspire.Hosting.ApplicationModel;

/// <summary>States of a resource.</summary>
public static class KnownResourceStates
{
    internal const string NotStarted = "NotStarted";
    internal const string Waiting = "Waiting";
    internal const string Starting = "Starting";
    internal const string Stopping = "Stopping";

    internal const string Running = "Running";

    /// <summary>Its process could not be started.</summary>
    public static readonly string FailedToStart = "FailedToStart";

    /// <summary>Its process ended, having been told to.</summary>
    public static readonly string Exited = "Exited";

    /// <summary>Its process ended by itself.</summary>
    public static readonly string Finished = "Finished";

    internal static bool IsTerminal(string? state) => state == FailedToStart || state == Exited || state == Finished;
}

/// <summary>What is known about one process of a resource. Immutable.</summary>
public sealed record CustomResourceSnapshot
{
    /// <summary>One of <see cref="KnownResourceStates"/>.</summary>
    public ResourceStateSnapshot? State { get; internal init; }

    /// <summary>Exit code of a process that ended.</summary>
    public int? ExitCode { get; internal init; }

    /// <summary>Worst of the health reports; null while it does not run.</summary>
    public HealthStatus? HealthStatus =>
        State?.Text != KnownResourceStates.Running ? null
        : HealthReports.IsEmpty ? Microsoft.Extensions.Diagnostics.HealthChecks.HealthStatus.Healthy
        : HealthReports.Min(report => report.Status ?? Microsoft.Extensions.Diagnostics.HealthChecks.HealthStatus.Unhealthy);

    internal string ResourceType { get; init; } = "";

    internal DateTimeOffset CreatedAt { get; init; }

    internal DateTimeOffset? StartedAt { get; init; }

    internal DateTimeOffset? StoppedAt { get; init; }

    internal ImmutableArray<HealthReportSnapshot> HealthReports { get; init; } = [];

    internal ImmutableArray<UrlSnapshot> Urls { get; init; } = [];

    internal ImmutableArray<KeyValuePair<string, string>> EnvironmentVariables { get; init; } = [];

    internal ImmutableArray<KeyValuePair<string, object?>> Properties { get; init; } = [];

    internal bool IsHidden { get; init; }
}

/// <summary>Text of a state.</summary>
/// <param name="Text">One of <see cref="KnownResourceStates"/>.</param>
public sealed record ResourceStateSnapshot(string Text);

internal sealed record HealthReportSnapshot(string Name, HealthStatus? Status, string? Description, string? ExceptionText, DateTimeOffset? LastRunAt);

internal sealed record UrlSnapshot(string? EndpointName, string Url, bool IsInactive);

/// <summary>A change of a resource.</summary>
public sealed class ResourceEvent(IResource resource, string resourceId, CustomResourceSnapshot snapshot)
{
    /// <summary>The resource.</summary>
    public IResource Resource { get; } = resource;

    /// <summary>Name of the process, different for each replica.</summary>
    public string ResourceId { get; } = resourceId;

    /// <summary>What is known now.</summary>
    public CustomResourceSnapshot Snapshot { get; } = snapshot;
}

/// <summary>Tells and remembers how the resources are. Thread-safe.</summary>
public sealed class ResourceNotificationService
{
    private readonly ConcurrentDictionary<string, ResourceEvent> _current = new(StringComparer.Ordinal);
    private readonly List<Channel<ResourceEvent>> _watchers = [];
    private readonly Lock _gate = new();

    internal ResourceNotificationService()
    {
    }

    internal IReadOnlyList<ResourceEvent> Current => [.. _current.Values];

    /// <summary>Every resource as it is now, then every change.</summary>
    public async IAsyncEnumerable<ResourceEvent> WatchAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var channel = Channel.CreateUnbounded<ResourceEvent>(new UnboundedChannelOptions { SingleReader = true });
        lock (_gate)
        {
            foreach (var now in _current.Values)
            {
                channel.Writer.TryWrite(now);
            }

            _watchers.Add(channel);
        }

        try
        {
            await foreach (var change in channel.Reader.ReadAllAsync(cancellationToken))
            {
                yield return change;
            }
        }
        finally
        {
            lock (_gate)
            {
                _watchers.Remove(channel);
            }
        }
    }

    /// <summary>Waits until a resource runs and is healthy; of several replicas, the first one.</summary>
    internal Task<ResourceEvent> WaitForResourceHealthyAsync(string resourceName, CancellationToken cancellationToken = default) =>
        WaitForResourceAsync(resourceName, change => change.Snapshot.HealthStatus == HealthStatus.Healthy, cancellationToken);

    /// <summary>Waits until <paramref name="predicate"/> holds for a resource.</summary>
    internal async Task<ResourceEvent> WaitForResourceAsync(string resourceName, Func<ResourceEvent, bool> predicate, CancellationToken cancellationToken = default)
    {
        await foreach (var change in WatchAsync(cancellationToken))
        {
            if (string.Equals(change.Resource.Name, resourceName, StringComparison.OrdinalIgnoreCase) && predicate(change))
            {
                return change;
            }
        }

        throw new OperationCanceledException(cancellationToken);
    }

    internal void Publish(IResource resource, string resourceId, Func<CustomResourceSnapshot, CustomResourceSnapshot> change)
    {
        lock (_gate)
        {
            var before = _current.TryGetValue(resourceId, out var known) ? known.Snapshot : new CustomResourceSnapshot();
            var after = change(before);
            if (known is not null && after == before)
            {
                return;
            }

            var told = new ResourceEvent(resource, resourceId, after);
            _current[resourceId] = told;
            foreach (var watcher in _watchers)
            {
                watcher.Writer.TryWrite(told);
            }
        }
    }
}
