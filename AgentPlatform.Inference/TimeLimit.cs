namespace AgentPlatform.Inference;

/// <summary>
/// How long a request may still take, by the monotonic clock of the process that holds it. A moment of one machine's clock means nothing on
/// another machine, and nothing on the same one once the clock is set; so what travels is the time that is left, and each process counts it
/// down itself.
/// </summary>
/// <remarks>The default has no end.</remarks>
public readonly record struct TimeLimit
{
    private readonly TimeProvider? _time;
    private readonly long _began;
    private readonly TimeSpan _span;

    /// <summary>Ends <paramref name="span"/> from now.</summary>
    public TimeLimit(TimeSpan span, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(time);
        (_time, _began, _span) = (time, time.GetTimestamp(), span);
    }

    /// <summary>Whether there is a limit; without one the time never passes.</summary>
    public bool IsSet => _time is not null;

    /// <summary>What is left; negative once it has passed, <see cref="TimeSpan.MaxValue"/> if it never does.</summary>
    public TimeSpan Left => _time is null ? TimeSpan.MaxValue : _span - _time.GetElapsedTime(_began);

    /// <summary>Whether nothing is left.</summary>
    public bool HasPassed => Left <= TimeSpan.Zero;
}
