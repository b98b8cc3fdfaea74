using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace AgentPlatform.Messaging.Answering;

/// <summary>A worker's look at the gateways that it answers: ends the work for one that is gone, since nobody waits for it.</summary>
internal sealed partial class GatewayWatch(
    FrameSender frames, ReplyQueues queues, IOptions<AnsweringOptions> options, TimeProvider time, ILogger<GatewayWatch> logger)
    : BackgroundService
{
    private const int LooksPerTimeout = 4;

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(options.Value.GatewayTimeout / LooksPerTimeout, time);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
            {
                foreach (var queue in frames.ReplyQueues.Union(queues.Absent))
                {
                    await LookAsync(queue, stoppingToken);
                }
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The host stops.
        }
    }

    private async Task LookAsync(string queue, CancellationToken cancellationToken)
    {
        if (await queues.LookAsync(queue, cancellationToken) && frames.Abandon(queue) is var answers and > 0)
        {
            GatewayGone(logger, queue, options.Value.GatewayTimeout, answers);
        }
    }

    [LoggerMessage(LogLevel.Warning,
        "Nobody has read {ReplyQueue} for {Timeout}: its gateway is gone, and the {Answers} requests of it that were here have ended")]
    private static partial void GatewayGone(ILogger logger, string replyQueue, TimeSpan timeout, int answers);
}
