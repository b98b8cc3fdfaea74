using AgentPlatform.Messaging.RabbitMQ;
using Microsoft.Extensions.Time.Testing;

namespace AgentPlatform.Tests.Messaging.RabbitMQ;

public sealed class PublishWindowTests
{
    private const int Large = 4 * 1024 * 1024;

    private static readonly TimeSpan _timeout = TimeSpan.FromSeconds(10);

    private readonly FakeTimeProvider _time = new();
    private readonly PublishWindow _window;

    public PublishWindowTests() => _window = new PublishWindow(_timeout, _time);

    [Fact]
    public async Task A_small_message_without_a_confirm_is_noticed_after_the_timeout()
    {
        await EnterAsync(300);
        _time.Advance(_timeout);
        Assert.False(_window.IsHung);
        _time.Advance(TimeSpan.FromSeconds(0.1));
        Assert.True(_window.IsHung);
    }

    [Fact]
    public async Task Large_messages_have_the_time_that_their_bytes_take()
    {
        await EnterAsync(Large);
        await EnterAsync(Large);
        _time.Advance(_timeout + TimeSpan.FromSeconds(2 * Large / PublishWindow.LeastRate));
        Assert.False(_window.IsHung);
        _time.Advance(TimeSpan.FromSeconds(0.1));
        Assert.True(_window.IsHung);
    }

    [Fact]
    public async Task Twenty_five_large_messages_at_a_slow_broker_are_no_connection_that_hangs()
    {
        // 9.9 MB each at 1 MiB a second: four minutes, in which a fixed time of 10 s has passed many times.
        const int Bytes = 9_900_000;
        for (var i = 0; i < 25; i++)
        {
            await EnterAsync(Bytes);
            for (var second = 0; second < Bytes / PublishWindow.LeastRate; second++)
            {
                _time.Advance(TimeSpan.FromSeconds(1));
                Assert.False(_window.IsHung);
            }

            _window.Leave(Bytes);
        }
    }

    [Fact]
    public async Task What_does_not_fit_waits_for_a_confirm()
    {
        await EnterAsync(Large);
        await EnterAsync(Large);
        var third = EnterAsync(1);
        Assert.False(third.IsCompleted);
        _window.Leave(Large);
        await third;
    }

    [Fact]
    public async Task A_message_larger_than_the_window_goes_alone()
    {
        await EnterAsync(300);
        var large = EnterAsync(3 * Large);
        Assert.False(large.IsCompleted);
        _window.Leave(300);
        await large;
    }

    [Fact]
    public async Task Silence_while_nothing_is_under_way_or_the_broker_is_blocked_says_nothing()
    {
        _time.Advance(10 * _timeout);
        Assert.False(_window.IsHung);
        await EnterAsync(300);
        Assert.False(_window.IsHung);
        _time.Advance(10 * _timeout);
        _window.Excuse();
        Assert.False(_window.IsHung);
        _window.Leave(300);
        _time.Advance(10 * _timeout);
        Assert.False(_window.IsHung);
    }

    private async Task EnterAsync(int bytes)
    {
        await _window.WaitForRoomAsync(bytes);
        _window.Enter(bytes);
    }
}
