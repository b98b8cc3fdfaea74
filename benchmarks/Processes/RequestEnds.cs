using System.Collections.Concurrent;
using System.Diagnostics;

namespace AgentPlatform.Benchmarks.Processes;

/// <summary>
/// Notes, inside a worker, when the engine was done with each request, by the span that the worker opens around it. It ends after the slot
/// was freed. Ticks of <see cref="Stopwatch"/>, which on Linux mean the same in all processes.
/// </summary>
internal sealed class RequestEnds : IDisposable
{
    /// <summary>What is asked to get them; the first time begins the noting.</summary>
    public const string Question = "ends";

    private readonly ConcurrentDictionary<Guid, long> _ends = new();
    private readonly ActivityListener _listener;

    public RequestEnds()
    {
        _listener = new ActivityListener
        {
            ShouldListenTo = static source => source.Name == "AgentPlatform.Worker",
            Sample = static (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
            ActivityStopped = activity =>
            {
                if (activity.GetTagItem("agentplatform.request.id") is Guid request)
                {
                    _ends[request] = TimeProvider.System.GetTimestamp();
                }
            },
        };
    }

    /// <inheritdoc/>
    public void Dispose() => _listener.Dispose();

    /// <summary>Those since the last time.</summary>
    public Dictionary<Guid, long> Take()
    {
        // Only from now on: a span costs something.
        ActivitySource.AddActivityListener(_listener);
        var taken = new Dictionary<Guid, long>();
        foreach (var request in _ends.Keys)
        {
            if (_ends.TryRemove(request, out var end))
            {
                taken.Add(request, end);
            }
        }

        return taken;
    }
}
