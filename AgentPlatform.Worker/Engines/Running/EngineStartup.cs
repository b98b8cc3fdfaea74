using AgentPlatform.Worker.Weights;

namespace AgentPlatform.Worker.Engines.Running;

/// <summary>
/// Loads and warms the engine once the process has started, so that
/// liveness answers meanwhile. A worker whose engine cannot be loaded ends.
/// </summary>
internal sealed partial class EngineStartup(
    IEngine engine, EngineState state, TimeProvider time, IHostApplicationLifetime lifetime,
    ILogger<EngineStartup> logger) : BackgroundService
{
    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // Not the service's own token: it is cancelled only when its turn to stop comes.
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken, lifetime.ApplicationStopping);
        try
        {
            // A host that is told to stop while it starts breaks off with an exception of its own.
            await StartedAsync(stopping.Token);
            var began = time.GetTimestamp();
            await engine.LoadAsync(stopping.Token);
            await engine.WarmUpAsync(stopping.Token);
            state.BecomeReady();
            EngineReady(logger, time.GetElapsedTime(began));
        }
        catch (Exception e) when (e is EngineLoadException or WeightsException)
        {
            EngineUnusable(logger, e.Message);
            Fail();
        }
        catch (OutOfMemoryException)
        {
            EngineUnusable(
                logger,
                "the model does not fit into memory; this process may use "
                + $"{GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 1_000_000_000.0:F1} GB.");
            Fail();
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // The process ends before its engine was loaded.
        }
        catch (Exception e)
        {
            // The host would stop too, but with exit code 0.
            EngineBroke(logger, e);
            Fail();
        }
    }

    private async Task StartedAsync(CancellationToken cancellationToken)
    {
        var started = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var registration = lifetime.ApplicationStarted.UnsafeRegister(
            static started => ((TaskCompletionSource)started!).TrySetResult(), started);
        await started.Task.WaitAsync(cancellationToken);
    }

    private void Fail()
    {
        Environment.ExitCode = 1;
        lifetime.StopApplication();
    }

    [LoggerMessage(LogLevel.Information, "The engine is ready after {Elapsed}")]
    private static partial void EngineReady(ILogger logger, TimeSpan elapsed);

    [LoggerMessage(LogLevel.Critical, "The engine cannot be loaded: {Reason}")]
    private static partial void EngineUnusable(ILogger logger, string reason);

    [LoggerMessage(LogLevel.Critical, "The engine broke while it was loaded")]
    private static partial void EngineBroke(ILogger logger, Exception e);
}
