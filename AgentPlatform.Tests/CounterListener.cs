using System.Diagnostics.Metrics;

namespace AgentPlatform.Tests;

/// <summary>Adds up what a counter of any meter with the given name counts, or only what it counts for one queue.</summary>
internal sealed class CounterListener : IDisposable
{
    private readonly MeterListener _listener = new();
    private long _total;

    public CounterListener(string meter, string instrument, string? queue = null)
    {
        _listener.InstrumentPublished = (published, listener) =>
        {
            if (published.Meter.Name == meter && published.Name == instrument)
            {
                listener.EnableMeasurementEvents(published);
            }
        };
        _listener.SetMeasurementEventCallback<long>((_, measurement, tags, _) =>
        {
            if (queue is null || tags.Contains(new KeyValuePair<string, object?>("messaging.destination.name", queue)))
            {
                Interlocked.Add(ref _total, measurement);
            }
        });
        _listener.Start();
    }

    public long Total => Interlocked.Read(ref _total);

    public void Dispose() => _listener.Dispose();
}
