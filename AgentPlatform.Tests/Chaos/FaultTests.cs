using AgentPlatform.Testing.Chaos;

namespace AgentPlatform.Tests.Chaos;

public sealed class FaultTests
{
    private static readonly TimeSpan _length = TimeSpan.FromHours(1);

    [Fact]
    public void Create_SameSeed_SameFaults() => Assert.Equal(Fault.Create(7, _length, 3), Fault.Create(7, _length, 3));

    [Fact]
    public void Create_OtherSeed_OtherFaults() => Assert.NotEqual(Fault.Create(7, _length, 3), Fault.Create(8, _length, 3));

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Create_LongPlan_HasEveryKindInOrderAndInTime(int seed)
    {
        var faults = Fault.Create(seed, _length, 3);

        Assert.Equal(Enum.GetValues<FaultKind>(), faults.Select(fault => fault.Kind).Distinct().Order());
        Assert.Equal(faults.OrderBy(fault => fault.At), faults);
        Assert.All(faults, fault => Assert.InRange(fault.At, TimeSpan.Zero, _length));
    }

    [Fact]
    public void Create_TwoMinutes_HasTheRareKindsToo() =>
        Assert.Superset(
            new HashSet<FaultKind> { FaultKind.Poison, FaultKind.SlowClient, FaultKind.Broker },
            Fault.Create(1, TimeSpan.FromMinutes(2), 3).Select(fault => fault.Kind).ToHashSet());

    [Fact]
    public void Create_AnySeed_LeavesAWorkerUntouched()
    {
        for (var seed = 0; seed < 20; seed++)
        {
            var until = new TimeSpan[3];
            foreach (var fault in Fault.Create(seed, _length, until.Length)
                .Where(fault => fault.Kind is FaultKind.Kill or FaultKind.Restart or FaultKind.Freeze))
            {
                until[fault.Target] = fault.At + (fault.Kind == FaultKind.Freeze ? fault.Length : TimeSpan.FromSeconds(5));
                Assert.Contains(until, end => end <= fault.At);
            }
        }
    }
}
