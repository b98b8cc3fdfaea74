using System.Diagnostics;
using AgentPlatform.Api.Stopping;
using AgentPlatform.Inference;
using AgentPlatform.Messaging.Answering;
using AgentPlatform.Messaging.Wire;
using AgentPlatform.Worker.Engines;
using AgentPlatform.Worker.Engines.Running;

namespace AgentPlatform.Worker.Jobs;

/// <summary>
/// Takes one job from its delivery to its acknowledgement, which comes only when the job cannot be needed any more: its last frame
/// is at the broker, its client left, its gateway is gone, or another worker has the request. In every other case the broker gives it to
/// another worker. A job that another worker may have begun is begun only when its gateway says from where.
/// </summary>
/// <remarks>Safe for concurrent use.</remarks>
internal sealed partial class JobRunner(
    EngineRunner runner, IEngine engine, FrameSender frames, ReplyQueues gateways, Cancellations cancellations, TakeoverQuestions claims,
    DrainClock drain, JobMetrics metrics,
    TimeProvider time, ILogger<JobRunner> logger)
{
    private readonly byte[] _started = new StartedNote(claims.Worker).ToUtf8();

    /// <summary>Runs the job and settles its delivery.</summary>
    public async Task RunAsync(Delivery delivery)
    {
        var began = time.GetTimestamp();
        using var activity = delivery.StartProcessing();
        activity?.SetTag("messaging.message.id", delivery.Request.RequestId);
        activity?.SetTag("agentplatform.issue", (int)delivery.Issue);
        var outcome = await SettleAsync(delivery);
        activity?.SetTag("agentplatform.job.outcome", JobMetrics.NameOf(outcome));
        metrics.Ended(delivery.Queue, outcome, time.GetElapsedTime(began));
    }

    private async Task<JobOutcome> SettleAsync(Delivery delivery)
    {
        if (drain.Began.IsCancellationRequested)
        {
            await delivery.ReturnAsync();
            return JobOutcome.Returned;
        }

        if (await gateways.IsGoneAsync(delivery.ReplyQueue))
        {
            await delivery.AcknowledgeAsync();
            return JobOutcome.Orphaned;
        }

        using var writer = frames.Open(delivery.ReplyQueue, delivery.Request.RequestId);
        using var cancel = new CancellationTokenSource();
        using var work = CancellationTokenSource.CreateLinkedTokenSource([cancel.Token, delivery.Lost, writer.Gone, drain.Over]);
        JobOutcome outcome;
        try
        {
            var grant = delivery.IsRepeated
                ? await AskAsync(delivery, writer, work.Token)
                : new Grant(Attempt: 0, PartialAnswer: null, Alone: false, delivery.Request.TimeLimit);
            outcome = grant is not null ? await RunAsync(delivery, grant, writer, cancel, work.Token)
                : delivery.Request.TimeLimit.HasPassed ? JobOutcome.Expired
                : JobOutcome.Superseded;
        }
        catch (TimeoutException)
        {
            GatewayMute(logger, delivery.Request.RequestId);
            outcome = JobOutcome.Lost;
        }
        catch (OperationCanceledException) when (work.IsCancellationRequested)
        {
            outcome = JobOutcome.Lost;
        }

        if (outcome is not JobOutcome.Lost || cancel.IsCancellationRequested || writer.IsGatewayGone)
        {
            await delivery.AcknowledgeAsync();
            return outcome is not JobOutcome.Lost ? outcome : writer.IsGatewayGone ? JobOutcome.Orphaned : JobOutcome.Cancelled;
        }

        if (drain.Over.IsCancellationRequested && !delivery.Lost.IsCancellationRequested)
        {
            // The gateway need not wait for the time of a lease, and holds nothing against the request.
            await writer.ReturnAsync();
        }

        await delivery.ReturnAsync();
        return JobOutcome.Lost;
    }

    private async Task<Grant?> AskAsync(Delivery delivery, FrameWriter writer, CancellationToken work)
    {
        Activity.Current?.AddEvent(new ActivityEvent("asks the gateway"));
        var grant = await claims.AskAsync(delivery, writer, work);
        Activity.Current?.SetTag("agentplatform.attempt", (int?)grant?.Attempt);
        return grant;
    }

    private async Task<JobOutcome> RunAsync(
        Delivery delivery, Grant grant, FrameWriter writer, CancellationTokenSource cancel, CancellationToken work)
    {
        var request = delivery.Request with { TimeLimit = grant.TimeLimit };
        writer.Begin(grant.Attempt, grant.PartialAnswer?.Parts ?? 0);
        using var watch = cancellations.Watch(request.RequestId, grant.Attempt, cancel);
        Task<bool> delivered;
        JobOutcome outcome;
        try
        {
            if (request.TimeLimit.HasPassed)
            {
                throw new InferenceException(InferenceError.DeadlinePassed());
            }

            delivered = await SendPartsAsync(request, grant, writer, work);
            outcome = JobOutcome.Completed;
        }
        catch (InferenceException e)
        {
            delivered = writer.FailAsync(e.Error, claims.Worker);
            outcome = e.Error.Kind == ErrorKind.DeadlinePassed ? JobOutcome.Expired : JobOutcome.Failed;
        }
        catch (Exception e) when (delivery.IsRepeated && e is not OperationCanceledException)
        {
            // A defect of ours, and not for the first time: the next worker would fare no better. The first one is the job loop's business.
            JobBroke(logger, e, request.RequestId);
            delivered = writer.FailAsync(InferenceError.EngineFailed("The worker failed."), claims.Worker);
            outcome = JobOutcome.Failed;
        }

        return await delivered ? outcome : JobOutcome.Lost;
    }

    /// <summary>Sends the parts and frees the engine's slot, without waiting for the broker to confirm the last one.</summary>
    private async Task<Task<bool>> SendPartsAsync(InferenceRequest request, Grant grant, FrameWriter writer, CancellationToken work)
    {
        // An engine that cannot continue from there but always gives the same answer begins again, and what the client has is left out.
        var repeated = engine.Traits.Continues ? 0 : grant.PartialAnswer?.Parts ?? 0;
        if (repeated > 0 && !engine.Traits.Replayable)
        {
            throw new InferenceException(InferenceError.EngineFailed(
                "The worker was lost after a part of the answer was sent, and its engine cannot repeat the answer exactly."));
        }

        await foreach (var part in runner.RunAsync(
            request with { PartialAnswer = engine.Traits.Continues ? grant.PartialAnswer : null, IsSuspect = grant.Alone }, work))
        {
            if (part.IsLast)
            {
                return writer.CompleteAsync(part);
            }

            if (part.Kind == ReplyKind.Started)
            {
                // What other workers were lost over is to be blamed for this one too, should it be lost.
                if (grant.Attempt > 0)
                {
                    await writer.StartAsync(_started);
                }
                else
                {
                    writer.Start(_started);
                }
            }
            else if (repeated > 0)
            {
                repeated--;
            }
            else
            {
                writer.Write(part);
            }
        }

        throw new InferenceException(InferenceError.EngineFailed("The engine ended its answer without completing it."));
    }

    [LoggerMessage(LogLevel.Error, "Job {RequestId} could not be handled, and not for the first time")]
    private static partial void JobBroke(ILogger logger, Exception e, Guid requestId);

    [LoggerMessage(
        LogLevel.Warning,
        "The gateway of request {RequestId} is there and does not say whether to work on it; the job is given to another worker")]
    private static partial void GatewayMute(ILogger logger, Guid requestId);
}
