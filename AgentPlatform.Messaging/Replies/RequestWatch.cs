using System.Diagnostics;
using AgentPlatform.Messaging.Broker;
using AgentPlatform.Messaging.Contracts;
using AgentPlatform.Messaging.Dead;
using AgentPlatform.Messaging.Jobs;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace AgentPlatform.Messaging.Replies;

/// <summary>
/// Looks after the requests that wait for their answers: issues those again whose worker is lost, or whose message is (its queue was deleted, or a
/// worker froze before it began), and gives up those that break every worker. It draws no conclusion from a silence that is this process's
/// own: while the connection is away or blocked, and after it was held up itself.
/// </summary>
internal sealed partial class RequestWatch(
    ReplyReceiver replies, JobPublisher jobs, QueueDepths depths, DeadJobs dead, BrokerConnectionState broker, MessagingTelemetry telemetry, IOptions<MessagingOptions> options,
    TimeProvider time, ILogger<RequestWatch> logger) : BackgroundService
{
    private static readonly TimeSpan _interval = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan _heldUp = 3 * _interval;

    private static readonly HashSet<string> _none = [];

    // Looking into the queues costs the broker something.
    private const int LooksPerDepth = 5;

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(_interval, time);
        var (lastLook, listeningSince) = (time.GetTimestamp(), time.GetTimestamp());
        var looks = 0;
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
            {
                var isDeaf = !broker.IsOpen || broker.IsBlocked;
                if (isDeaf || time.GetElapsedTime(lastLook) > _heldUp)
                {
                    listeningSince = time.GetTimestamp();
                }

                lastLook = time.GetTimestamp();
                if (!isDeaf)
                {
                    Look(listeningSince, ++looks % LooksPerDepth == 0 ? await EmptyQueuesAsync(stoppingToken) : _none, stoppingToken);
                }
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The host stops; its requests are over.
        }
    }

    private async ValueTask<HashSet<string>> EmptyQueuesAsync(CancellationToken cancellationToken)
    {
        HashSet<string>? empty = null;
        foreach (var queue in replies.Waiting.Where(static request => request.IsFirstMissing).Select(static request => request.Queue).Distinct().ToList())
        {
            if (await depths.ReadAsync(queue, cancellationToken) == 0)
            {
                (empty ??= []).Add(queue);
            }
        }

        return empty ?? _none;
    }

    private void Look(long listeningSince, HashSet<string> emptyQueues, CancellationToken stoppingToken)
    {
        foreach (var request in replies.Waiting)
        {
            switch (request.Check(listeningSince, emptyQueues.Contains(request.Queue), out var issue))
            {
                case RequestNeed.Reissue:
                    _ = ReissueAsync(request, issue, stoppingToken);
                    break;
                case RequestNeed.Burial:
                    _ = BuryAsync(request);
                    break;
                default:
                    break;
            }
        }
    }

    private async Task ReissueAsync(ReplyAssembly waiting, ushort issue, CancellationToken cancellationToken)
    {
        Activity.Current = waiting.Span;
        try
        {
            // One right behind the other: only then the broker gives them to different workers.
            await Task.WhenAll(Enumerable.Range(issue, Attempts.Copies).Select(copy =>
                jobs.PublishAsync(waiting.Request, waiting.Queue, waiting.Version, replies.ReplyQueue, (ushort)copy, cancellationToken)));
            telemetry.Reissued(waiting.Queue);
            Reissued(logger, waiting.Request.RequestId, issue);
        }
        catch (InferenceException e)
        {
            // It is tried again, as long as the request has time.
            NotReissued(logger, waiting.Request.RequestId, e.Message);
        }
        catch (OperationCanceledException)
        {
            // The host stops.
        }
    }

    private async Task BuryAsync(ReplyAssembly waiting)
    {
        Activity.Current = waiting.Span;
        var outcome = await dead.PublishAsync(waiting.Request, waiting.Queue, waiting.Version, [.. waiting.Story().Select(DeadAttempt.Of)]);
        if (outcome != PublishOutcome.Confirmed)
        {
            // Only what is safely in infer.dead may end here.
            NotBuried(logger, waiting.Request.RequestId, outcome);
            waiting.PostponeBurial();
            return;
        }

        telemetry.Buried(waiting.Queue);
        Buried(logger, waiting.Request.RequestId, options.Value.DeliveryLimit);
        waiting.Fail(new InferenceError(502, "server_error", $"The request was given up: {options.Value.DeliveryLimit} workers were lost over it.", DeadJobs.Poison));
    }

    [LoggerMessage(LogLevel.Warning, "Request {RequestId} lost its worker and was issued again, as message {Issue}")]
    private static partial void Reissued(ILogger logger, Guid requestId, ushort issue);

    [LoggerMessage(LogLevel.Warning, "Request {RequestId} lost its worker and cannot be issued again yet: {Reason}")]
    private static partial void NotReissued(ILogger logger, Guid requestId, string reason);

    [LoggerMessage(LogLevel.Warning, "Request {RequestId} is to be given up and could not be written to the queue of dead jobs yet: {Outcome}")]
    private static partial void NotBuried(ILogger logger, Guid requestId, PublishOutcome outcome);

    [LoggerMessage(LogLevel.Error, "Request {RequestId} was given up after {Losses} workers were lost over it")]
    private static partial void Buried(ILogger logger, Guid requestId, int losses);
}
