namespace AgentPlatform.Tests.Messaging;

/// <summary>
/// A machine's clock that shows another time than it should, and may be set while everything runs; time passes as it does elsewhere.
/// </summary>
internal sealed class ShiftedClock(TimeProvider real, TimeSpan offset) : TimeProvider
{
    public TimeSpan Offset { get; set; } = offset;

    public override long TimestampFrequency => real.TimestampFrequency;

    public override DateTimeOffset GetUtcNow() => real.GetUtcNow() + Offset;

    public override long GetTimestamp() => real.GetTimestamp();

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
        real.CreateTimer(callback, state, dueTime, period);
}
