using System.Security.Cryptography;
using AgentPlatform.Worker.Engines.Running;

namespace AgentPlatform.Worker.Scaling;

/// <summary>
/// Keeps the number of requests that the worker has as the deletion cost of its pod. It looks at intervals, so that no request waits for it
/// or costs a call; without the cluster's API everything else keeps working.
/// </summary>
internal sealed partial class DeletionCost(PodApi pod, EngineSlots slots, TimeProvider time, ILogger<DeletionCost> logger)
    : BackgroundService
{
    private static readonly TimeSpan _interval = TimeSpan.FromSeconds(1);

    private readonly DeletionCostPace _pace = new(time);

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var looks = new PeriodicTimer(_interval, time);
        do
        {
            var cost = slots.Active + slots.Waiting;
            if (_pace.IsDue(cost))
            {
                await WriteAsync(cost, stoppingToken);
            }
        }
        while (await looks.WaitForNextTickAsync(stoppingToken));
    }

    private async Task WriteAsync(int cost, CancellationToken stoppingToken)
    {
        try
        {
            await pod.WriteDeletionCostAsync(cost, stoppingToken);
            if (_pace.HasFailed)
            {
                WorksAgain(logger);
            }

            _pace.Written(cost);
        }
        catch (Exception e) when (!stoppingToken.IsCancellationRequested
            && e is HttpRequestException or IOException or UnauthorizedAccessException or CryptographicException
                or OperationCanceledException)
        {
            // Once for a series of failures.
            if (!_pace.HasFailed)
            {
                CannotWrite(logger, e.Message);
            }

            _pace.Failed();
        }
    }

    [LoggerMessage(
        LogLevel.Warning,
        "The cluster's API does not take the pod's deletion cost, so a busy worker may be taken away before an idle one: {Reason}")]
    private static partial void CannotWrite(ILogger logger, string reason);

    [LoggerMessage(LogLevel.Information, "The cluster's API takes the pod's deletion cost again")]
    private static partial void WorksAgain(ILogger logger);
}
