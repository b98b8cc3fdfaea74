using System.Text.Json;
using AgentPlatform.Messaging.Contracts;
using AgentPlatform.Messaging.Control;
using AgentPlatform.Messaging.Jobs;
using AgentPlatform.Messaging.Replies;
using AgentPlatform.Worker.Engines;
using AgentPlatform.Worker.Stopping;

namespace AgentPlatform.Worker.Jobs;

/// <summary>
/// Takes one job from its delivery to its acknowledgement, which comes only when nobody can need the job any more: its last frame
/// is at the broker, its client left, or its gateway is gone. In every other case the broker gives it to another worker.
/// </summary>
/// <remarks>Safe for concurrent use.</remarks>
internal sealed class JobRunner(EngineRunner runner, IEngine engine, FrameSender frames, CancelListener cancels, DrainClock drain, JobMetrics metrics, TimeProvider time)
{
    // Two workers on one machine must be told apart.
    private readonly byte[] _started = new StartedNote($"{Environment.MachineName}.{Environment.ProcessId}", engine.Traits.Replayable).ToUtf8();

    /// <summary>Runs the job and settles its delivery.</summary>
    public async Task RunAsync(Delivery delivery)
    {
        var began = time.GetTimestamp();
        using var activity = delivery.StartProcessing();
        activity?.SetTag("messaging.message.id", delivery.Request.RequestId);
        activity?.SetTag("agentplatform.attempt", (int)delivery.Attempt);
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

        using var writer = frames.Open(delivery.ReplyQueue, delivery.Request.RequestId, delivery.Attempt);
        using var cancel = new CancellationTokenSource();
        using var watch = cancels.Watch(delivery.Request.RequestId, cancel);
        using var work = CancellationTokenSource.CreateLinkedTokenSource([cancel.Token, delivery.Lost, writer.Gone, drain.Over]);
        var outcome = await AnswerAsync(delivery.Request, writer, work.Token);
        if (outcome is not JobOutcome.Lost || cancel.IsCancellationRequested || writer.IsGatewayGone)
        {
            await delivery.AcknowledgeAsync();
            return outcome is not JobOutcome.Lost ? outcome : writer.IsGatewayGone ? JobOutcome.Orphaned : JobOutcome.Cancelled;
        }

        // A job that was given up at the end of the drain is left unsettled: some servers count only the job of a closed
        // connection as another attempt, and the gateway tells this attempt's frames from the next one's by that count.
        if (!drain.Over.IsCancellationRequested)
        {
            await delivery.ReturnAsync();
        }

        return JobOutcome.Lost;
    }

    /// <summary>Runs the job and sends its answer; <see cref="JobOutcome.Lost"/> if the answer did not get through to its end.</summary>
    private async Task<JobOutcome> AnswerAsync(InferenceRequest request, FrameWriter writer, CancellationToken work)
    {
        Task<bool> delivered;
        JobOutcome outcome;
        try
        {
            if (request.Deadline <= time.GetUtcNow())
            {
                throw new InferenceException(InferenceError.DeadlinePassed());
            }

            writer.Write(ReplyKind.Started, _started);
            delivered = await SendPartsAsync(request, writer, work);
            outcome = JobOutcome.Completed;
        }
        catch (InferenceException e)
        {
            delivered = writer.CompleteAsync(ReplyKind.Error, JsonSerializer.SerializeToUtf8Bytes(e.Error, ContractsJsonContext.Default.InferenceError));
            outcome = e.Error.Status == 504 ? JobOutcome.Expired : JobOutcome.Failed;
        }
        catch (OperationCanceledException) when (work.IsCancellationRequested)
        {
            return JobOutcome.Lost;
        }

        return await delivered ? outcome : JobOutcome.Lost;
    }

    /// <summary>Sends the parts and frees the engine's slot, without waiting for the broker to confirm the last one.</summary>
    private async Task<Task<bool>> SendPartsAsync(InferenceRequest request, FrameWriter writer, CancellationToken work)
    {
        await foreach (var part in runner.RunAsync(request, work))
        {
            if (part.IsLast)
            {
                return writer.CompleteAsync(part.Kind, part.Payload);
            }

            // An engine that asks a server passes on nothing of where it runs: this worker has said that already.
            if (part.Kind != ReplyKind.Started)
            {
                writer.Write(part.Kind, part.Payload);
            }
        }

        throw new InferenceException(InferenceError.EngineFailed("The engine ended its answer without completing it."));
    }
}
