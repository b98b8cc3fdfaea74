using System.Diagnostics;
using AgentPlatform.Inference;
using AgentPlatform.Messaging.Broker;
using AgentPlatform.Messaging.Dead;
using AgentPlatform.Messaging.Telemetry;
using AgentPlatform.Messaging.Wire;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace AgentPlatform.Messaging.Asking;

/// <summary>
/// Looks after the requests that wait for their answers: issues those again whose worker is lost, or whose message is (its queue was
/// deleted, or a worker froze before it began), and gives up those that break every worker. It draws no conclusion from a silence that is
/// this process's own: while the connection is away or blocked, and after it was held up itself.
/// </summary>
internal sealed partial class RequestWatch : BackgroundService
{
    private static readonly TimeSpan _interval = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan _heldUp = 3 * _interval;

    private static readonly HashSet<ReplyAssembly> _none = [];

    // Looking into the queues costs the broker something.
    private const int LooksPerDepth = 5;

    private readonly ReplyReceiver _replies;
    private readonly JobPublisher _jobs;
    private readonly IQueueInspector _queues;
    private readonly DeadJobs _dead;
    private readonly BrokerState _broker;
    private readonly MessagingTelemetry _telemetry;
    private readonly AskingOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger<RequestWatch> _logger;
    private readonly RepeatedLog<Guid> _reissued;
    private readonly RepeatedLog<(Guid Request, string Reason)> _notReissued;
    private readonly RepeatedLog<(Guid Request, PublishOutcome Outcome)> _notDeadLettered;

    public RequestWatch(
        ReplyReceiver replies, JobPublisher jobs, IQueueInspector queues, DeadJobs dead, BrokerState broker, MessagingTelemetry telemetry,
        IOptions<AskingOptions> options,
        TimeProvider time, ILogger<RequestWatch> logger)
    {
        (_replies, _jobs, _queues, _dead, _broker, _telemetry, _options, _time, _logger) = (replies, jobs, queues, dead, broker, telemetry,
            options.Value, time, logger);
        _reissued = new(time, (request, count) => Reissued(logger, count, request));
        _notReissued = new(time, (failed, count) => NotReissued(logger, count, failed.Request, failed.Reason));
        _notDeadLettered = new(time, (failed, count) => NotDeadLettered(logger, count, failed.Request, failed.Outcome));
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(_interval, _time);
        var (lastLook, listeningSince) = (_time.GetTimestamp(), _time.GetTimestamp());
        var looks = 0;
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
            {
                var isDeaf = !_broker.IsOpen || _broker.IsBlocked;
                if (isDeaf || _time.GetElapsedTime(lastLook) > _heldUp)
                {
                    listeningSince = _time.GetTimestamp();
                }

                lastLook = _time.GetTimestamp();
                if (!isDeaf)
                {
                    Look(listeningSince, ++looks % LooksPerDepth == 0 ? await MissingAsync(stoppingToken) : _none, stoppingToken);
                }
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The host stops; its requests are over.
        }
    }

    /// <summary>The requests whose first messages have left their queues, though no worker was heard of that has them.</summary>
    private async ValueTask<HashSet<ReplyAssembly>> MissingAsync(CancellationToken cancellationToken)
    {
        HashSet<ReplyAssembly>? missing = null;
        foreach (var queue in _replies.Waiting.Where(static request => request.IsFirstMissing()).GroupBy(static request => request.Queue)
            .ToList())
        {
            // Nothing waits there; or what was published later has been at a worker for a while, and a queue gives out the oldest first.
            var state = await _queues.LookAsync(queue.Key, cancellationToken);
            if (state is { Exists: false })
            {
                await _queues.RestoreAsync(queue.Key, cancellationToken);
            }

            var isEmpty = state is { Waiting: 0 };
            var front = _replies.Waiting.Where(request => request.Queue == queue.Key).Max(static request => request.Passed);
            (missing ??= []).UnionWith(queue.Where(request => isEmpty || (front is { } passed && request.IsBefore(passed))));
        }

        return missing ?? _none;
    }

    private void Look(long listeningSince, HashSet<ReplyAssembly> missing, CancellationToken stoppingToken)
    {
        foreach (var request in _replies.Waiting)
        {
            switch (request.Check(listeningSince, missing.Contains(request), out var issue))
            {
                case RequestNeed.Reissue:
                    _ = ReissueAsync(request, issue, stoppingToken);
                    break;
                case RequestNeed.DeadLetter:
                    _ = DeadLetterAsync(request);
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
                _jobs.PublishAsync(waiting.Request, waiting.Queue, waiting.Version, _replies.Address, (ushort)copy, cancellationToken)));
            _telemetry.Reissued(waiting.Queue);
            _reissued.Write(waiting.Request.RequestId);
        }
        catch (InferenceException e)
        {
            // It is tried again, as long as the request has time.
            _notReissued.Write((waiting.Request.RequestId, e.Message));
        }
        catch (OperationCanceledException)
        {
            // The host stops.
        }
    }

    private async Task DeadLetterAsync(ReplyAssembly waiting)
    {
        Activity.Current = waiting.Span;
        var outcome = await _dead.PublishAsync(waiting.Request, waiting.Queue, waiting.Version,
            [.. waiting.Attempts().Select(ToDeadAttempt)]);
        if (outcome != PublishOutcome.Confirmed)
        {
            // Only what is safely in infer.dead may end here.
            _notDeadLettered.Write((waiting.Request.RequestId, outcome));
            waiting.PostponeDeadLettering();
            return;
        }

        _telemetry.DeadLettered(waiting.Queue);
        DeadLettered(_logger, waiting.Request.RequestId, _options.DeliveryLimit);
        waiting.Fail(new InferenceError(ErrorKind.EngineFailed,
            $"The request was given up: {_options.DeliveryLimit} workers were lost over it.", DeadJobs.Poison));
    }

    private static DeadAttempt ToDeadAttempt(AttemptRecord record) =>
        new(record.Attempt, record.Worker, (int)record.Parts, record.End.ToString().ToLowerInvariant());

    [LoggerMessage(LogLevel.Warning, "{Count} requests lost their workers and were issued again, the latest {RequestId}")]
    private static partial void Reissued(ILogger logger, int count, Guid requestId);

    [LoggerMessage(LogLevel.Warning,
        "{Count} times a request that lost its worker could not be issued again yet, the latest {RequestId}: {Reason}")]
    private static partial void NotReissued(ILogger logger, int count, Guid requestId, string reason);

    [LoggerMessage(LogLevel.Warning, "{Count} times a request that is to be given up could not be written to the queue of dead jobs yet, " +
        "the latest {RequestId}: {Outcome}")]
    private static partial void NotDeadLettered(ILogger logger, int count, Guid requestId, PublishOutcome outcome);

    [LoggerMessage(LogLevel.Error, "Request {RequestId} was given up after {Losses} workers were lost over it")]
    private static partial void DeadLettered(ILogger logger, Guid requestId, int losses);
}
