using System.Collections.Concurrent;
using System.Diagnostics.Metrics;

namespace AgentPlatform.Tests.Worker.Jobs;

/// <summary>The outcomes that workers count for the jobs of one queue.</summary>
internal sealed class JobOutcomes : IDisposable
{
    private readonly MeterListener _listener = new();
    private readonly ConcurrentQueue<string> _outcomes = new();

    public JobOutcomes(string queue)
    {
        _listener.InstrumentPublished = static (instrument, listener) =>
        {
            if (instrument.Name == "agentplatform.worker.jobs")
            {
                listener.EnableMeasurementEvents(instrument);
            }
        };
        _listener.SetMeasurementEventCallback<long>((_, _, tags, _) =>
        {
            var all = tags.ToArray().ToDictionary(tag => tag.Key, tag => (string?)tag.Value);
            if (all["messaging.destination.name"] == queue)
            {
                _outcomes.Enqueue(all["agentplatform.job.outcome"]!);
            }
        });
        _listener.Start();
    }

    /// <summary>In the order in which the jobs ended.</summary>
    public IReadOnlyCollection<string> All => _outcomes;

    public void Dispose() => _listener.Dispose();
}
