using System.Threading.Channels;
using Microsoft.Extensions.Time.Testing;

namespace AgentPlatform.Tests.Worker.Engines;

/// <summary>Time that passes when an engine pauses between two requests to its server, and then only.</summary>
internal sealed class PauseTime : FakeTimeProvider
{
    private static readonly TimeSpan _pause = TimeSpan.FromSeconds(1);
    private readonly Channel<bool> _pauses = Channel.CreateUnbounded<bool>();

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = base.CreateTimer(callback, state, dueTime, period);
        if (dueTime == _pause)
        {
            _pauses.Writer.TryWrite(true);
        }

        return timer;
    }

    /// <summary>Waits for the next pause, does something, and ends the pause.</summary>
    public async Task PassPauseAsync(Action? meanwhile = null)
    {
        await _pauses.Reader.ReadAsync().AsTask().WaitAsync(TimeSpan.FromMinutes(1));
        meanwhile?.Invoke();
        Advance(_pause);
    }
}
