namespace AgentPlatform.Messaging.Telemetry;

/// <summary>
/// A line of the log that thousands of messages may give cause for at once: the first is written, those that follow within ten seconds are
/// counted, and the last of them is written with that count when the time is over.
/// </summary>
/// <param name="time">Measures the time.</param>
/// <param name="write">Writes the line: the latest example, and for how many it stands.</param>
/// <typeparam name="T">What the line says of one case.</typeparam>
/// <remarks>Safe for concurrent use. Lives as long as the process; it holds a timer only while something is counted.</remarks>
internal sealed class RepeatedLog<T>(TimeProvider time, Action<T, int> write)
{
    /// <summary>Least time between two lines.</summary>
    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(10);

    private readonly Lock _lock = new();
    private ITimer? _timer;
    private T? _example;
    private int _count;

    /// <summary>Another case.</summary>
    public void Write(T example)
    {
        lock (_lock)
        {
            if (_timer is not null)
            {
                (_example, _count) = (example, _count + 1);
                return;
            }

            _timer = time.CreateTimer(_ => EndInterval(), null, Interval, Interval);
        }

        write(example, 1);
    }

    private void EndInterval()
    {
        T example;
        int count;
        lock (_lock)
        {
            if (_count == 0)
            {
                _timer?.Dispose();
                _timer = null;
                return;
            }

            (example, count) = (_example!, _count);
            (_example, _count) = (default, 0);
        }

        write(example, count);
    }
}
