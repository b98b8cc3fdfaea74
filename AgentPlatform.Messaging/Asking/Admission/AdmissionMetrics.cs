using System.Diagnostics.Metrics;
using AgentPlatform.Messaging.Telemetry;

namespace AgentPlatform.Messaging.Asking.Admission;

/// <summary>What waits in queues, as this gateway sees it, and what was refused.</summary>
/// <remarks>Safe for concurrent use.</remarks>
public sealed class AdmissionMetrics(IMeterFactory meters)
{
    private const string Queue = "messaging.destination.name";

    private readonly Meter _meter = meters.Create(MessagingTelemetry.Name);
    private readonly Counter<long> _refused = meters.Create(MessagingTelemetry.Name).CreateCounter<long>(
        "agentplatform.queue.refused", "{request}", "Requests that got no place in a queue");

    private readonly Counter<long> _expired = meters.Create(MessagingTelemetry.Name).CreateCounter<long>(
        "agentplatform.queue.expired", "{request}", "Requests whose deadline passed while they waited in a queue");

    /// <summary>Reports these loads, by the names of their queues, from now on.</summary>
    public void Observe(IReadOnlyDictionary<string, QueueLoad> loads)
    {
        _meter.CreateObservableGauge(
            "agentplatform.queue.waiting", () => loads.Select(load => Measure(load.Value.Waiting, load.Key)), "{request}",
            "Requests of this gateway that no worker has begun");
        _meter.CreateObservableGauge(
            "agentplatform.queue.waiting_size", () => loads.Select(load => Measure(load.Value.WaitingBytes, load.Key)), "By", "Their size");
        _meter.CreateObservableGauge(
            "agentplatform.queue.expected_wait",
            () => loads.Select(load => (load.Key, Wait: load.Value.ExpectedWait)).Where(load => load.Wait is not null)
                .Select(load => Measure(load.Wait!.Value.TotalSeconds, load.Key)),
            "s", "How long another request would wait; missing while the pool's pace is not known");
    }

    /// <summary>Counts a request that was refused.</summary>
    public void Refused(string queue, AdmissionRefusal reason) =>
        _refused.Add(1, new KeyValuePair<string, object?>(Queue, queue),
            new KeyValuePair<string, object?>("agentplatform.refusal.reason", NameOf(reason)));

    /// <summary>Counts a request whose deadline passed before a worker began with it; the broker drops its job.</summary>
    public void Expired(string queue) => _expired.Add(1, new KeyValuePair<string, object?>(Queue, queue));

    private static string NameOf(AdmissionRefusal reason) => reason switch
    {
        AdmissionRefusal.Deadline => "deadline",
        AdmissionRefusal.UnknownPace => "unknown_pace",
        AdmissionRefusal.Bytes => "bytes",
        _ => "full",
    };

    private static Measurement<T> Measure<T>(T value, string queue) where T : struct =>
        new(value, new KeyValuePair<string, object?>(Queue, queue));
}
