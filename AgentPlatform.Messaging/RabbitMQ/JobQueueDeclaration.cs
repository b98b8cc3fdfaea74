using System.Collections.Concurrent;
using AgentPlatform.Messaging.Broker;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using RabbitMQ.Client;

namespace AgentPlatform.Messaging.RabbitMQ;

/// <summary>
/// Declares job queues and what they need, and knows which of them an earlier build declared, or one with other settings.
/// </summary>
/// <remarks>Safe for concurrent use.</remarks>
internal sealed partial class JobQueueDeclaration(IOptions<QueueOptions> options, ILogger<JobQueueDeclaration> logger)
{
    private readonly ConcurrentDictionary<string, QueueFit> _fits = new(StringComparer.Ordinal);

    /// <summary>Declares a job queue and the lane beside it.</summary>
    public async Task DeclareAsync(IConnection connection, string queue, CancellationToken cancellationToken)
    {
        Note(QueueNames.Dead, await Topology.DeclareDeadQueueAsync(connection, options.Value, cancellationToken));
        await using var channel = await connection.CreateChannelAsync(cancellationToken: cancellationToken);
        await Topology.DeclareJobExchangesAsync(connection, channel, cancellationToken);
        foreach (var lane in (string[])[queue, QueueNames.Resume(queue)])
        {
            Note(lane, await Topology.DeclareBoundedAsync(connection, lane, Topology.JobArguments(options.Value), cancellationToken));
            await channel.QueueBindAsync(lane, Topology.JobExchange, lane, cancellationToken: cancellationToken);
        }
    }

    /// <summary>Whether a job that expires in the lane is dropped. An earlier build's queue would keep it among the dead jobs.</summary>
    public bool DropsExpired(string lane) => _fits.GetValueOrDefault(lane) != QueueFit.Older;

    private void Note(string queue, QueueFit fit)
    {
        var isNews = _fits.GetValueOrDefault(queue) != fit;
        _fits[queue] = fit;
        if (isNews && fit != QueueFit.AsDeclared)
        {
            OtherQueue(logger, queue);
        }
    }

    [LoggerMessage(LogLevel.Warning,
        "The queue {Queue} was declared by an earlier build or with other settings of Messaging, and keeps its own bounds. Set a policy " +
        "for it, or delete it once all gateways and workers "
        + "are of this build; jobs that wait in it are issued again. See docs/operations.md, Bounds of queues")]
    private static partial void OtherQueue(ILogger logger, string queue);
}
