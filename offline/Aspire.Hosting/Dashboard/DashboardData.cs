using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Dcp;

namespace Aspire.Hosting.Dashboard;

/// <summary>What the dashboard is told: resources, console logs, commands.</summary>
internal sealed class DashboardData(
    string applicationName, ResourceNotificationService notifications, IReadOnlyList<ResourceInstance> instances, DcpClient dcp, ResourceRunner runner)
{
    public string ApplicationName { get; } =
        applicationName.EndsWith(".AppHost", StringComparison.Ordinal) ? applicationName[..^".AppHost".Length] : applicationName;

    public IReadOnlyList<ResourceEvent> Current => notifications.Current;

    public IAsyncEnumerable<ResourceEvent> WatchAsync(CancellationToken cancellationToken) => notifications.WatchAsync(cancellationToken);

    public Task ExecuteAsync(string resourceId, string command, CancellationToken cancellationToken) => runner.ExecuteAsync(resourceId, command, cancellationToken);

    /// <summary>Lines of all runs of a process, from the current one on, until cancelled (or, without following, up to now).</summary>
    public async IAsyncEnumerable<LogLine> ReadLogAsync(string resourceId, bool follow, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        if (instances.FirstOrDefault(instance => instance.Name == resourceId) is not { } instance)
        {
            yield break;
        }

        DateTimeOffset? read = null;
        while (true)
        {
            var run = follow
                ? await notifications.WaitForResourceAsync(instance.Resource.Name, change => IsNewRun(change, resourceId, read), cancellationToken)
                : notifications.Current.FirstOrDefault(change => IsNewRun(change, resourceId, read));
            if (run is null)
            {
                yield break;
            }

            read = run.Snapshot.StartedAt;
            await foreach (var line in ReadRunAsync(instance, follow, cancellationToken))
            {
                yield return line;
            }

            if (!follow)
            {
                yield break;
            }
        }
    }

    private static bool IsNewRun(ResourceEvent change, string resourceId, DateTimeOffset? read) =>
        change.ResourceId == resourceId && change.Snapshot.StartedAt is { } started && started != read;

    private async IAsyncEnumerable<LogLine> ReadRunAsync(
        ResourceInstance instance, bool follow, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var lines = Channel.CreateBounded<LogLine>(new BoundedChannelOptions(1000) { SingleReader = true });
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var sources = Task.WhenAll(CopyAsync("stdout", isError: false), CopyAsync("stderr", isError: true));
        var completion = CompleteAsync();
        try
        {
            await foreach (var line in lines.Reader.ReadAllAsync(cancellationToken))
            {
                yield return line;
            }
        }
        finally
        {
            await ended.CancelAsync();
            await completion;
        }

        async Task CopyAsync(string source, bool isError)
        {
            await foreach (var line in dcp.ReadLogAsync(instance.Plural, instance.Name, source, follow, ended.Token))
            {
                await lines.Writer.WriteAsync(new LogLine(line, isError), ended.Token);
            }
        }

        async Task CompleteAsync()
        {
            await sources.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            lines.Writer.TryComplete();
        }
    }
}

/// <summary>A line with its time in front, as the dashboard wants it.</summary>
internal sealed record LogLine(string Text, bool IsError);
