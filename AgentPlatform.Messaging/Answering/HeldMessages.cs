using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Globalization;
using AgentPlatform.Messaging.Broker;
using AgentPlatform.Messaging.Telemetry;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace AgentPlatform.Messaging.Answering;

/// <summary>
/// The messages that this worker has and the broker has not heard of yet. One that is held for ever takes a place of the prefetch for ever,
/// and a worker whose prefetch is full gets no more jobs, though it is connected and idle; so it is measured, and unhealthy when one
/// outlives its deadline.
/// </summary>
/// <remarks>Safe for concurrent use.</remarks>
public sealed class HeldMessages : IHealthCheck
{
    // What a job may still need after its deadline: its engine ends its step, its error goes to the broker, a broker that is away comes
    // back.
    private static readonly TimeSpan _margin = TimeSpan.FromSeconds(30);

    private readonly ConcurrentDictionary<Receipt, byte> _held = new();
    private readonly TimeProvider _time;

    public HeldMessages(IMeterFactory meters, TimeProvider time)
    {
        _time = time;
        var meter = meters.Create(MessagingTelemetry.Name);
        meter.CreateObservableGauge("agentplatform.worker.jobs.held", () => _held.Count, "{job}",
            "Jobs that this worker has taken and not settled");
        meter.CreateObservableGauge("agentplatform.worker.jobs.held.oldest", () => Oldest.TotalSeconds, "s",
            "For how long the oldest of them has been held");
    }

    /// <summary>How many there are.</summary>
    public int Count => _held.Count;

    /// <summary>For how long the oldest one has been held; zero if there is none.</summary>
    public TimeSpan Oldest => _held.Keys.Select(static receipt => receipt.Age).DefaultIfEmpty().Max();

    /// <summary>Notes a message that came.</summary>
    public Receipt Take(ISettlement settlement)
    {
        var receipt = new Receipt(settlement, this, _time);
        _held.TryAdd(receipt, 0);
        return receipt;
    }

    /// <summary>The broker has heard of it.</summary>
    public void Remove(Receipt receipt) => _held.TryRemove(receipt, out _);

    /// <inheritdoc/>
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        var overdue = _held.Keys.Where(static receipt => receipt.Limit.Left < -_margin).Select(static receipt => receipt.Age).ToList();
        return Task.FromResult(overdue.Count == 0
            ? HealthCheckResult.Healthy()
            : new HealthCheckResult(context.Registration.FailureStatus, string.Create(
                CultureInfo.InvariantCulture,
                $"{overdue.Count} jobs are held beyond their deadlines, the oldest for {overdue.Max().TotalSeconds:0} s.")));
    }
}
