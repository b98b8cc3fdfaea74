namespace AgentPlatform.Benchmarks.Chaos;

/// <summary>
/// How long the suite's own timers were late at worst: what the machine
/// did not give to it, it may not have given to the platform either.
/// </summary>
internal sealed class StallWatch : IDisposable
{
    private static readonly TimeSpan _interval = TimeSpan.FromMilliseconds(20);

    private readonly PeriodicTimer _timer = new(_interval, TimeProvider.System);

    public StallWatch() => _ = WatchAsync();

    public TimeSpan Longest { get; private set; }

    public void Dispose() => _timer.Dispose();

    private async Task WatchAsync()
    {
        var last = TimeProvider.System.GetTimestamp();
        while (await _timer.WaitForNextTickAsync())
        {
            var now = TimeProvider.System.GetTimestamp();
            var late = TimeProvider.System.GetElapsedTime(last, now) - _interval;
            (Longest, last) = (late > Longest ? late : Longest, now);
        }
    }
}
