using AgentPlatform.Api.Stopping;
using AgentPlatform.Messaging.Answering;
using AgentPlatform.Messaging.Broker;
using AgentPlatform.Worker.Engines.Running;

namespace AgentPlatform.Worker.Jobs;

/// <summary>
/// Attaches to the queue once the engine is ready, runs each delivery at once (the prefetch bounds them, the engine's slots bound the
/// work), and when the worker stops detaches, returns what has not begun and waits for what has.
/// </summary>
internal sealed partial class JobLoop(
    IJobReceiver receiver, JobInbox inbox, JobRunner runner, EngineState engine, DrainClock drain, ILogger<JobLoop> logger)
    : BackgroundService
{
    private readonly TaskCompletionSource _idle = new(TaskCreationOptions.RunContinuationsAsynchronously);

    // The loop itself counts as one, so that the last job to end sees zero only after the loop has ended.
    private int _running = 1;

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // The host stops its services one after another; this one begins to drain as soon as the process is told to stop.
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken, drain.Began);
        try
        {
            await engine.Ready.WaitAsync(stopping.Token);
        }
        catch (OperationCanceledException)
        {
            return;
        }

        await receiver.AttachAsync(CancellationToken.None);
        await using var detach = stopping.Token.UnsafeRegister(_ => _ = DetachAsync(), null);
        await foreach (var delivery in inbox.ReadAsync(CancellationToken.None))
        {
            Interlocked.Increment(ref _running);
            _ = RunAsync(delivery);
        }

        Draining(logger, Volatile.Read(ref _running) - 1);
        End();
        await _idle.Task;
    }

    private async Task RunAsync(Delivery delivery)
    {
        // Not on the loop: work that an engine does before its first await would delay the jobs behind it.
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        try
        {
            await runner.RunAsync(delivery);
        }
        catch (Exception e)
        {
            // Not the engine's failure, which the client is told: a defect of ours. The job may do better elsewhere.
            JobBroke(logger, e, delivery.Request.RequestId);
        }
        finally
        {
            await LeaveAsync(delivery);
            End();
        }
    }

    // Whatever happened, the job is settled now; if it was before, this does
    // nothing. One that broke two workers would break the others as well.
    private static Task LeaveAsync(Delivery delivery) => delivery.IsRepeated ? delivery.RejectAsync() : delivery.ReturnAsync();

    private void End()
    {
        if (Interlocked.Decrement(ref _running) == 0)
        {
            _idle.TrySetResult();
        }
    }

    private async Task DetachAsync()
    {
        try
        {
            await receiver.DetachAsync(CancellationToken.None);
        }
        finally
        {
            inbox.Complete();
        }
    }

    [LoggerMessage(LogLevel.Information, "Takes no more jobs and waits for {Running} that run")]
    private static partial void Draining(ILogger logger, int running);

    [LoggerMessage(LogLevel.Error, "Job {RequestId} could not be handled")]
    private static partial void JobBroke(ILogger logger, Exception e, Guid requestId);
}
