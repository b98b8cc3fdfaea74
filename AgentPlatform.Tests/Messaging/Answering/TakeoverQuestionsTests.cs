using AgentPlatform.Inference;
using AgentPlatform.Messaging.Answering;
using AgentPlatform.Messaging.Telemetry;
using AgentPlatform.Messaging.Wire;
using AgentPlatform.Tests.Worker;
using AgentPlatform.Tests.Worker.Scaling;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;

namespace AgentPlatform.Tests.Messaging.Answering;

public sealed class TakeoverQuestionsTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly TakeoverQuestions _claims;

    public TakeoverQuestionsTests() => _claims = new TakeoverQuestions(_time) { Worker = "w" };

    [Fact]
    public async Task A_question_that_nobody_answers_ends_with_the_time_of_its_request()
    {
        var asking = AskAsync(TimeSpan.FromSeconds(10));
        Assert.Equal(TimeSpan.FromSeconds(10), await AdvanceUntilAsync(asking));
        Assert.Null(await asking);
    }

    [Fact]
    public async Task A_question_of_a_request_with_much_time_ends_all_the_same()
    {
        var asking = AskAsync(TimeSpan.FromMinutes(25));
        Assert.Equal(TimeSpan.FromSeconds(30), await AdvanceUntilAsync(asking));
        await Assert.ThrowsAsync<TimeoutException>(() => asking);
    }

    [Fact]
    public void Any_control_message_leaves_the_listener_as_it_was()
    {
        using var cancellations = new CancellationTokenSource();
        var watched = new Cancellations();
        using var run = watched.Watch(Guid.NewGuid(), 0, cancellations);
        var listener = new ControlListener(
            watched, _claims, new MessagingTelemetry(Meters.Create()), _time, NullLogger<ControlListener>.Instance);
        string[] tokens =
        [
            "{", "}", "[", "]", ":", ",", "null", "true", "-1", "1e999", "65536", $"\"{Guid.NewGuid()}\"", "\"AAEC\"", "\"\"",
            "\"\\ud800\"",
            "\"requestId\"", "\"claim\"", "\"attempt\"", "\"parts\"", "\"state\"",
        ];
        for (var seed = 0; seed < 20_000; seed++)
        {
            var random = new Random(seed);
            var text = string.Concat(Enumerable.Range(0, random.Next(12)).Select(_ => tokens[random.Next(tokens.Length)]));
            listener.Receive(
                random.Next(2) == 0 ? "cancel" : "resume.w",
                System.Text.Encoding.UTF8.GetBytes(random.Next(2) == 0 ? text : $"{{{text}}}"));
        }

        Assert.False(cancellations.IsCancellationRequested);
    }

    [Fact]
    public void Control_messages_that_cannot_be_read_are_two_lines_of_the_log_in_ten_seconds()
    {
        using var log = new LogLines();
        using var logging = LoggerFactory.Create(builder => builder.AddProvider(log));
        var telemetry = new MessagingTelemetry(Meters.Create());
        var listener = new ControlListener(new Cancellations(), _claims, telemetry, _time, logging.CreateLogger<ControlListener>());
        for (var i = 0; i < 1_000; i++)
        {
            listener.Receive(CancelMessage.RoutingKey, "garbage"u8);
        }

        _time.Advance(TimeSpan.FromSeconds(10));
        Assert.Equal(2, log.Lines.Count);
        Assert.Contains(" 999 ", log.Lines.Last(), StringComparison.Ordinal);
    }

    private Task<Grant?> AskAsync(TimeSpan left)
    {
        var options = Options.Create(new AnsweringOptions());
        var telemetry = new MessagingTelemetry(Meters.Create());
        var request = Requests.Create(timeLimit: new TimeLimit(left, _time));
        var receipt = new HeldMessages(Meters.Create(), _time).Take(null!);
        var delivery = new Delivery(
            receipt, new JobMessage(request, "infer.reply.g", 1, default), "q", isRedelivered: true, CancellationToken.None);
        return _claims.AskAsync(
            delivery, new FrameSender(new NoBroker(), telemetry, options, _time).Open("infer.reply.g", request.RequestId),
            CancellationToken.None);
    }

    private async Task<TimeSpan> AdvanceUntilAsync(Task asking)
    {
        var began = _time.GetTimestamp();
        for (var step = 0; step < 100 && !asking.IsCompleted; step++)
        {
            _time.Advance(TimeSpan.FromSeconds(1));

            // The question goes on on another thread.
            await Task.WhenAny(asking, Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System));
        }

        return _time.GetElapsedTime(began);
    }
}
