using System.Diagnostics.Metrics;
using AgentPlatform.Api.Telemetry;
using AgentPlatform.Inference;

namespace AgentPlatform.Api.Replay;

/// <summary>
/// How many responses are on record, what they take, how often one served another request, and what was refused for want of room.
/// </summary>
/// <remarks>Safe for concurrent use.</remarks>
internal sealed class ReplayMetrics(IMeterFactory meters)
{
    private readonly Meter _meter = meters.Create(InferenceMetrics.Name);
    private readonly Counter<long> _replays = meters.Create(InferenceMetrics.Name).CreateCounter<long>(
        "agentplatform.replay.replays", "{request}", "Requests that were answered by a response on record");

    private readonly Counter<long> _refused = meters.Create(InferenceMetrics.Name).CreateCounter<long>(
        "agentplatform.replay.refused", "{request}", "Requests and streams that failed since there was no room for responses on record");

    /// <summary>Reports what is on record from now on.</summary>
    public void Observe(RecordedResponses responses)
    {
        _meter.CreateObservableGauge("agentplatform.replay.responses", () => responses.Count, "{response}",
            "Responses on record, those in the making included");
        _meter.CreateObservableGauge("agentplatform.replay.size", () => responses.Charged, "By", "Memory that they take");
    }

    /// <summary>Counts a request that got a response on record: by its <c>key</c>, or a <c>stream</c> behind one of its events.</summary>
    public void Replayed(string by) => _replays.Add(1, new KeyValuePair<string, object?>("agentplatform.replay.by", by));

    /// <summary>
    /// Counts what fails with <paramref name="error"/> because of the bound on their <c>number</c>, on the <c>total_size</c> or the
    /// <c>response_size</c> (a stream in the making), or since the response asked for was <c>dropped</c> for one of these sizes.
    /// </summary>
    public InferenceException Refused(InferenceError error, string reason)
    {
        _refused.Add(1, new KeyValuePair<string, object?>("agentplatform.refusal.reason", reason));
        return new InferenceException(error);
    }
}
