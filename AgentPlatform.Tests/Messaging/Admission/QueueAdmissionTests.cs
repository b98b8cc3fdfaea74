using System.Diagnostics.Metrics;
using AgentPlatform.Messaging.Admission;
using AgentPlatform.Messaging.Contracts;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace AgentPlatform.Tests.Messaging.Admission;

public sealed class QueueAdmissionTests : IDisposable
{
    private readonly FakeTimeProvider _time = new();
    private readonly ServiceProvider _services = new ServiceCollection().AddMetrics().BuildServiceProvider();
    private readonly QueueAdmission _admission;

    public QueueAdmissionTests() => _admission = new QueueAdmission(new AdmissionMetrics(_services.GetRequiredService<IMeterFactory>()), _time);

    public void Dispose() => _services.Dispose();

    [Fact]
    public void A_request_that_would_expire_before_its_turn_is_refused_at_once_and_one_with_more_time_is_not()
    {
        // One start a second, and ninety that wait.
        var places = new QueuePlace[100];
        for (var i = 0; i < places.Length; i++)
        {
            _admission.Enter("q", Request(seconds: 600), out places[i]);
        }

        for (var i = 0; i < 10; i++)
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            places[i].Start();
        }

        var refusal = Assert.Throws<InferenceException>(() => _admission.Enter("q", Request(seconds: 30), out _)).Error;
        Assert.Equal((429, "overloaded", 60), (refusal.Status, refusal.Code, refusal.RetryAfterSeconds));
        Assert.Equal("The model 'm' is overloaded: the request would wait for about 90 s, too long for its deadline.", refusal.Message);
        Assert.Equal(90, _admission["q"].Waiting);

        _admission.Enter("q", Request(seconds: 600), out _);
        _admission.Enter("another", Request(seconds: 1), out _);
        Assert.Equal((91, 1), (_admission["q"].Waiting, _admission["another"].Waiting));
    }

    [Fact]
    public void A_full_queue_tells_when_to_come_back_even_if_its_pace_is_not_known()
    {
        var refusal = _admission.Full("q", "m").Error;
        Assert.Equal((429, "overloaded", 2), (refusal.Status, refusal.Code, refusal.RetryAfterSeconds));
    }

    private InferenceRequest Request(double seconds) => new()
    {
        RequestId = Guid.NewGuid(),
        Model = "m",
        Operation = Operation.Chat,
        Deadline = _time.GetUtcNow() + TimeSpan.FromSeconds(seconds),
        TimeLimit = new TimeLimit(TimeSpan.FromSeconds(seconds), _time),
        Body = "{}"u8.ToArray(),
    };
}
