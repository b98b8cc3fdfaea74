using AgentPlatform.Inference;
using AgentPlatform.Messaging.Answering;
using AgentPlatform.Tests.Worker;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Time.Testing;

namespace AgentPlatform.Tests.Messaging.Answering;

public sealed class HeldMessagesTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly HeldMessages _held;

    public HeldMessagesTests() => _held = new HeldMessages(Meters.Create(), _time);

    [Fact]
    public async Task A_job_that_is_held_beyond_its_deadline_and_a_margin_is_unhealthy_until_it_is_settled()
    {
        var job = _held.Take(null!);
        job.Limit = new TimeLimit(TimeSpan.FromMinutes(5), _time);
        _time.Advance(TimeSpan.FromMinutes(5));
        Assert.Equal(HealthStatus.Healthy, await CheckAsync());
        _time.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(HealthStatus.Unhealthy, await CheckAsync());
        Assert.Equal(TimeSpan.FromMinutes(6), _held.Oldest);
        _held.Remove(job);
        Assert.Equal((HealthStatus.Healthy, TimeSpan.Zero), (await CheckAsync(), _held.Oldest));
    }

    [Fact]
    public async Task A_message_that_was_never_read_is_unhealthy_after_the_margin()
    {
        _held.Take(null!);
        _time.Advance(TimeSpan.FromSeconds(31));
        Assert.Equal(HealthStatus.Unhealthy, await CheckAsync());
    }

    private async Task<HealthStatus> CheckAsync() => (await _held.CheckHealthAsync(new HealthCheckContext
    {
        Registration = new HealthCheckRegistration("jobs", _held, HealthStatus.Unhealthy, tags: null),
    })).Status;
}
