using AgentPlatform.Messaging.Telemetry;
using Microsoft.Extensions.Time.Testing;

namespace AgentPlatform.Tests.Messaging.Telemetry;

public sealed class RepeatedLogTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly List<(string Example, int Count)> _lines = [];

    [Fact]
    public void Write_OfManyInAnInterval_IsOneLineAtOnceAndOneWithTheirNumberAtItsEnd()
    {
        var log = Create();
        for (var i = 0; i < 1_000; i++)
        {
            log.Write($"{i}");
        }

        Assert.Equal([("0", 1)], _lines);
        _time.Advance(RepeatedLog<string>.Interval);
        Assert.Equal([("0", 1), ("999", 999)], _lines);
        _time.Advance(10 * RepeatedLog<string>.Interval);
        Assert.Equal(2, _lines.Count);
    }

    [Fact]
    public void Write_AfterAQuietInterval_IsALineAtOnce()
    {
        var log = Create();
        log.Write("a");
        _time.Advance(RepeatedLog<string>.Interval);
        log.Write("b");
        Assert.Equal([("a", 1), ("b", 1)], _lines);
    }

    private RepeatedLog<string> Create() => new(_time, (example, count) => _lines.Add((example, count)));
}
