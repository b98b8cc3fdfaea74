using AgentPlatform.Worker.Scaling;
using Microsoft.Extensions.Time.Testing;

namespace AgentPlatform.Tests.Worker.Scaling;

public sealed class DeletionCostPaceTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly DeletionCostPace _pace;

    public DeletionCostPaceTests() => _pace = new(_time);

    [Fact]
    public void TheFirstCost_IsWrittenAtOnce_EvenIfThereIsNone() => Assert.True(_pace.IsDue(0));

    [Fact]
    public void TheSameCost_IsNeverWrittenAgain()
    {
        _pace.Written(3);
        _time.Advance(TimeSpan.FromDays(1));

        Assert.False(_pace.IsDue(3));
    }

    [Theory]
    [InlineData(0, 1, 5)]
    [InlineData(4, 0, 5)]
    [InlineData(4, 5, 30)]
    public void AChange_IsWrittenAfterAPause(int from, int to, int seconds)
    {
        _pace.Written(from);
        _time.Advance(TimeSpan.FromSeconds(seconds) - TimeSpan.FromMilliseconds(1));
        Assert.False(_pace.IsDue(to));

        _time.Advance(TimeSpan.FromMilliseconds(1));
        Assert.True(_pace.IsDue(to));
    }

    [Fact]
    public void RestlessRequests_MakeOneCallInFiveSecondsAtMost()
    {
        var calls = 0;
        for (var second = 0; second < 600; second++)
        {
            if (_pace.IsDue(second % 2))
            {
                _pace.Written(second % 2);
                calls++;
            }

            _time.Advance(TimeSpan.FromSeconds(1));
        }

        Assert.InRange(calls, 100, 120);
    }

    [Fact]
    public void AFailure_IsFollowedByALongerPauseAndThenByWhateverTheCostIs()
    {
        _pace.Written(2);
        _pace.Failed();
        Assert.True(_pace.HasFailed);
        _time.Advance(TimeSpan.FromSeconds(29));
        Assert.False(_pace.IsDue(0));

        _time.Advance(TimeSpan.FromSeconds(1));

        // What stands there is not known.
        Assert.True(_pace.IsDue(2));
        Assert.True(_pace.IsDue(0));
        _pace.Written(0);
        Assert.False(_pace.HasFailed);
    }
}
