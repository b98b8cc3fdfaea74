namespace AgentPlatform.Worker.Engines.Simulated;

/// <summary>
/// The decode steps of a GPU that batches continuously: all running streams get their next token at the same moment, and a step
/// takes the longer the more streams share it.
/// </summary>
/// <remarks>Safe for concurrent use. It ticks only while a stream runs.</remarks>
internal sealed class StepClock(TimeSpan timePerToken, double batchSlope, TimeProvider time)
{
    private readonly Lock _lock = new();
    private TaskCompletionSource _step = NewStep();
    private int _streams;
    private bool _ticking;

    /// <summary>A stream takes part from now on, until it disposes of its seat.</summary>
    public Seat Join()
    {
        lock (_lock)
        {
            _streams++;
            if (!_ticking && timePerToken > TimeSpan.Zero)
            {
                _ticking = true;
                _ = TickAsync();
            }
        }

        return new Seat(this);
    }

    /// <summary>Ends with the current step.</summary>
    public Task NextAsync()
    {
        lock (_lock)
        {
            return timePerToken > TimeSpan.Zero ? _step.Task : Task.CompletedTask;
        }
    }

    private static TaskCompletionSource NewStep() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private async Task TickAsync()
    {
        var began = time.GetTimestamp();
        var due = TimeSpan.Zero;
        while (true)
        {
            lock (_lock)
            {
                if (_streams == 0)
                {
                    _ticking = false;
                    return;
                }

                due += timePerToken * (1 + (batchSlope * (_streams - 1)));
            }

            // A late timer shortens the next step; a process that was held up longer does not catch up in a burst.
            var now = time.GetElapsedTime(began);
            if (due > now)
            {
                await Task.Delay(due - now, time);
            }
            else
            {
                due = now;
            }

            TaskCompletionSource ended;
            lock (_lock)
            {
                (ended, _step) = (_step, NewStep());
            }

            ended.TrySetResult();
        }
    }

    /// <summary>A stream's part in the steps.</summary>
    public readonly struct Seat(StepClock owner) : IDisposable
    {
        /// <inheritdoc/>
        public void Dispose()
        {
            lock (owner._lock)
            {
                owner._streams--;
            }
        }
    }
}
