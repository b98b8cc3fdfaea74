using System.Diagnostics.Metrics;
using AgentPlatform.Inference;
using AgentPlatform.Inference.OpenAI;
using AgentPlatform.Messaging.Asking.Admission;
using AgentPlatform.Messaging.Telemetry;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;

namespace AgentPlatform.Tests.Messaging.Asking.Admission;

public sealed class QueueAdmissionTests : IDisposable
{
    private readonly FakeTimeProvider _time = new();
    private readonly ServiceProvider _services = new ServiceCollection().AddMetrics().BuildServiceProvider();
    private readonly QueueAdmission _admission;

    public QueueAdmissionTests() =>
        _admission = new QueueAdmission(
            new AdmissionMetrics(_services.GetRequiredService<IMeterFactory>()), Options.Create(new AdmissionOptions()), _time);

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
    public void A_wait_of_less_than_a_second_is_called_that()
    {
        var places = new QueuePlace[40];
        for (var i = 0; i < places.Length; i++)
        {
            _admission.Enter("q", Request(seconds: 600), out places[i]);
        }

        for (var i = 0; i < 10; i++)
        {
            _time.Advance(TimeSpan.FromSeconds(0.1));
            places[i].Start();
        }

        for (var i = 10; i < 36; i++)
        {
            _time.Advance(TimeSpan.FromSeconds(0.1));
            places[i].Start();
        }

        var refusal = Assert.Throws<InferenceException>(() => _admission.Enter("q", Request(seconds: 0.1), out _)).Error;
        Assert.Equal(
            "The model 'm' is overloaded: the request would wait for less than a second, too long for its deadline.", refusal.Message);
        Assert.Equal(1, refusal.RetryAfterSeconds);
    }

    [Fact]
    public void A_burst_at_a_pool_whose_pace_is_not_known_is_refused_beyond_what_it_may_begin_in_time()
    {
        for (var i = 0; i < 57; i++)
        {
            _admission.Enter("q", Request(seconds: 3), out _);
        }

        var refusal = Assert.Throws<InferenceException>(() => _admission.Enter("q", Request(seconds: 3), out _)).Error;
        Assert.Equal((429, "overloaded", 3), (refusal.Status, refusal.Code, refusal.RetryAfterSeconds));
        Assert.Equal(
            "The model 'm' is overloaded: 57 requests wait already, and too little is known of its pace to expect an answer within the "
                + "deadline.",
            refusal.Message);
        _admission.Enter("q", Request(seconds: 30), out _);
    }

    [Fact]
    public void Requests_that_are_too_large_together_are_refused_with_a_time_to_come_back()
    {
        var large = Request(seconds: 60) with { Body = new byte[30 * 1024 * 1024] };
        _admission.Enter("q", large, out _);
        var refusal = Assert.Throws<InferenceException>(() => _admission.Enter("q", large, out _)).Error;
        Assert.Equal((429, "overloaded", 2), (refusal.Status, refusal.Code, refusal.RetryAfterSeconds));
        Assert.Equal("The model 'm' is overloaded: the requests that wait for it are too large together.", refusal.Message);
    }

    [Fact]
    public void A_request_whose_deadline_passes_while_it_waits_is_counted_and_one_that_began_is_not()
    {
        using var expired = new CounterListener(MessagingTelemetry.Name, "agentplatform.queue.expired");
        var (waits, begun, left) = (Request(seconds: 1), Request(seconds: 1), Request(seconds: 60));
        _admission.Enter("q", waits, out var waiting);
        _admission.Enter("q", begun, out var running);
        _admission.Enter("q", left, out var leaving);
        running.Start();
        _time.Advance(TimeSpan.FromSeconds(2));
        _admission.Leave("q", waits, ref waiting);
        _admission.Leave("q", begun, ref running);
        _admission.Leave("q", left, ref leaving);
        Assert.Equal(1, expired.Total);
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
