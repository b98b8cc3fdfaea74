using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Aspire.Hosting.ApplicationModel;

namespace Aspire.Hosting.Dcp;

/// <summary>Reads what processes write to their console, from DCP.</summary>
internal sealed class ProcessLogs(DcpClient dcp, IReadOnlyList<ResourceInstance> instances, ResourceNotificationService notifications)
{
    /// <summary>Lines of a process with their time in front; with <paramref name="follow"/> over all its runs until cancelled, else up to now.</summary>
    public async IAsyncEnumerable<ProcessLogLine> ReadAsync(string resourceId, bool follow, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        if (instances.FirstOrDefault(instance => instance.Name == resourceId) is not { } instance)
        {
            yield break;
        }

        DateTimeOffset? read = null;
        do
        {
            var run = follow
                ? await notifications.WaitForResourceAsync(instance.Resource.Name, IsNewRun, cancellationToken)
                : notifications.Current.FirstOrDefault(IsNewRun);
            if (run is null)
            {
                yield break;
            }

            read = run.Snapshot.StartedAt;
            await foreach (var line in ReadRunAsync(instance, follow, cancellationToken))
            {
                yield return line;
            }
        }
        while (follow);

        bool IsNewRun(ResourceEvent change) => change.ResourceId == resourceId && change.Snapshot.StartedAt is { } started && started != read;
    }

    /// <summary>Lines that the processes of a resource have written until now.</summary>
    public async IAsyncEnumerable<ProcessLogLine> ReadAllAsync(IResource resource, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        foreach (var instance in instances.Where(instance => instance.Resource == resource))
        {
            await foreach (var line in ReadAsync(instance.Name, follow: false, cancellationToken))
            {
                yield return line;
            }
        }
    }

    private async IAsyncEnumerable<ProcessLogLine> ReadRunAsync(ResourceInstance instance, bool follow, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var lines = Channel.CreateBounded<ProcessLogLine>(new BoundedChannelOptions(1000) { SingleReader = true });
        using var left = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var copied = CopyBothAsync();
        try
        {
            await foreach (var line in lines.Reader.ReadAllAsync(cancellationToken))
            {
                yield return line;
            }
        }
        finally
        {
            await left.CancelAsync();
            await copied.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        async Task CopyBothAsync()
        {
            try
            {
                await Task.WhenAll(CopyAsync("stdout", isError: false), CopyAsync("stderr", isError: true));
            }
            finally
            {
                lines.Writer.TryComplete();
            }
        }

        async Task CopyAsync(string source, bool isError)
        {
            await foreach (var line in dcp.ReadLogAsync(instance.Plural, instance.Name, source, follow, left.Token))
            {
                await lines.Writer.WriteAsync(new ProcessLogLine(line, isError), left.Token);
            }
        }
    }
}

/// <summary>A line with its time in front, as the dashboard wants it: <c>2026-11-23T12:08:14.130Z text</c>.</summary>
internal sealed record ProcessLogLine(string Text, bool IsError);
