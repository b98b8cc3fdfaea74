using AgentPlatform.Messaging.Broker;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace AgentPlatform.Messaging.Answering;

/// <summary>
/// A worker's look at its own consumer: one that holds no job, gets none and whose queue has some is not one for the broker any more,
/// whatever the client says, and its connection is replaced. Two looks have to agree, since a job may be on its way at one of them.
/// </summary>
/// <seealso href="https://github.com/rabbitmq/rabbitmq-dotnet-client/issues/1993"/>
internal sealed partial class ConsumerWatch(
    IJobReceiver receiver, JobInbox inbox, JobSource source, IQueueInspector queues, HeldMessages held, TimeProvider time,
    ILogger<ConsumerWatch> logger)
    : BackgroundService
{
    private static readonly TimeSpan _interval = TimeSpan.FromSeconds(5);

    private long _delivered = -1;

    /// <summary>Looks once; replaces the connection if this look and the last one agree.</summary>
    internal async Task LookAsync(CancellationToken cancellationToken)
    {
        var delivered = inbox.Delivered;
        if (!receiver.IsAttached || held.Count > 0 || !await HasJobsAsync(cancellationToken))
        {
            _delivered = -1;
        }
        else if (_delivered != delivered)
        {
            _delivered = delivered;
        }
        else
        {
            Silent(logger);
            _delivered = -1;
            await receiver.ReconnectAsync();
        }
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(_interval, time);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
            {
                await LookAsync(stoppingToken);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The host stops.
        }
    }

    private async Task<bool> HasJobsAsync(CancellationToken cancellationToken) =>
        await queues.LookAsync(source.Queue, cancellationToken) is { Waiting: > 0 }
        || await queues.LookAsync(QueueNames.Resume(source.Queue), cancellationToken) is { Waiting: > 0 };

    [LoggerMessage(LogLevel.Error, "The broker sends no jobs here, though some wait; the connection is replaced")]
    private static partial void Silent(ILogger logger);
}
