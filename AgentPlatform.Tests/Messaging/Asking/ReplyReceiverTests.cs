using AgentPlatform.Messaging.Asking;
using AgentPlatform.Messaging.Asking.Admission;
using AgentPlatform.Messaging.Broker;
using AgentPlatform.Messaging.Telemetry;
using AgentPlatform.Messaging.Wire;
using AgentPlatform.Tests.Messaging.Wire;
using AgentPlatform.Tests.Worker;
using AgentPlatform.Tests.Worker.Scaling;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;

namespace AgentPlatform.Tests.Messaging.Asking;

public sealed class ReplyReceiverTests : IDisposable
{
    private readonly FakeTimeProvider _time = new();
    private readonly LogLines _log = new();
    private readonly ReplyReceiver _receiver;

    public ReplyReceiverTests()
    {
        var options = Options.Create(new AskingOptions());
        var logging = LoggerFactory.Create(builder => builder.AddProvider(_log));
        _receiver = new ReplyReceiver(
            new ControlPublisher(new NoBroker()),
            new QueueAdmission(new AdmissionMetrics(Meters.Create()), Options.Create(new AdmissionOptions()), _time),
            new BrokerState(_time), new MessagingTelemetry(Meters.Create()), options, _time, logging.CreateLogger<ReplyReceiver>());
    }

    public void Dispose() => _log.Dispose();

    [Theory]
    [InlineData(FrameKind.Started)]
    [InlineData(FrameKind.Claim)]
    [InlineData(FrameKind.Error)]
    [InlineData((FrameKind)99)]
    public async Task A_frame_that_cannot_be_read_costs_none_of_the_streams_that_share_its_message(FrameKind kind)
    {
        var (spoilt, neighbour) = (Requests.Create(stream: true), Requests.Create(stream: true));
        _receiver.Admit(spoilt, "q", "1");
        var answer = _receiver.Admit(neighbour, "q", "1").ReadAsync(CancellationToken.None).ReadAsync();
        _receiver.Receive(Frames.Write(
            new Frame(neighbour.RequestId, 0, 0, FrameKind.Delta, "{}"u8.ToArray()),
            new Frame(spoilt.RequestId, 0, 0, kind, "no JSON"u8.ToArray()),
            new Frame(neighbour.RequestId, 0, 1, FrameKind.End, default)));
        Assert.Equal(["Delta {}", "End "], await answer.WaitAsync(TimeSpan.FromMinutes(1)));
    }

    [Fact]
    public void Messages_that_cannot_be_read_are_two_lines_of_the_log_in_ten_seconds()
    {
        for (var i = 0; i < 1_000; i++)
        {
            _receiver.Receive("garbage"u8.ToArray());
        }

        _time.Advance(TimeSpan.FromSeconds(10));
        Assert.Equal(2, _log.Lines.Count);
        Assert.Contains("999 times", _log.Lines.Last(), StringComparison.Ordinal);
    }
}
