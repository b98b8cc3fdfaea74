using System.Diagnostics.Metrics;
using AgentPlatform.Inference;
using AgentPlatform.Messaging.Asking;
using AgentPlatform.Messaging.Asking.Admission;
using AgentPlatform.Messaging.Wire;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;

namespace AgentPlatform.Tests.Messaging.Asking;

/// <summary>What a request counts for while it waits, and how it is given up.</summary>
public sealed class ReplyAssemblyPlaceTests : IDisposable
{
    private const string Queue = "infer.m.1.default";

    private readonly FakeTimeProvider _time = new();
    private readonly AskingOptions _options = new() { DeliveryLimit = 1 };
    private readonly ServiceProvider _services = new ServiceCollection().AddMetrics().BuildServiceProvider();
    private readonly QueueAdmission _admission;

    public ReplyAssemblyPlaceTests() =>
        _admission = new QueueAdmission(
            new AdmissionMetrics(_services.GetRequiredService<IMeterFactory>()), Options.Create(new AdmissionOptions()), _time);

    public void Dispose() => _services.Dispose();

    [Fact]
    public void A_request_waits_until_an_engine_begins_and_does_not_wait_again_when_another_one_does()
    {
        var (first, second) = (Enter(), Enter());
        first.Accept(Frame(first, 0, FrameKind.Alive));
        Assert.Equal(2, _admission[Queue].Waiting);
        first.Accept(Frame(first, 0, FrameKind.Started));
        Assert.Equal(1, _admission[Queue].Waiting);

        first.Accept(Frame(first, 0, FrameKind.Returned));
        first.Claim(new ClaimNote("w", Guid.NewGuid(), 0), 0);
        first.Accept(Frame(first, 1, FrameKind.Started));
        first.Leave();
        Assert.Equal(1, _admission[Queue].Waiting);
        second.Leave();
        Assert.Equal(0, _admission[Queue].Waiting);
    }

    [Fact]
    public void An_answer_without_a_beginning_ends_the_waiting()
    {
        var request = Enter();
        request.Accept(Frame(request, 0, FrameKind.Result));
        Assert.Equal(0, _admission[Queue].Waiting);
    }

    [Fact]
    public void A_request_that_could_not_be_written_down_is_given_up_later_and_nobody_is_told_anything_before()
    {
        var request = Enter();
        request.Accept(Frame(request, 0, FrameKind.Started));
        _time.Advance(_options.LeaseTimeout + TimeSpan.FromMilliseconds(1));
        Assert.Equal(RequestNeed.DeadLetter, request.Check(0, isFirstGone: false, out _));
        Assert.Equal(RequestNeed.None, request.Check(0, isFirstGone: false, out _));
        Assert.Null(request.Claim(new ClaimNote("w", Guid.NewGuid(), 0), 0));

        request.PostponeDeadLettering();
        Assert.Equal(RequestNeed.DeadLetter, request.Check(0, isFirstGone: false, out _));
        request.Fail(InferenceError.EngineFailed("Given up."));
        request.PostponeDeadLettering();
        Assert.Equal(RequestNeed.None, request.Check(0, isFirstGone: false, out _));
        Assert.Null(request.Claim(new ClaimNote("w", Guid.NewGuid(), 0), 0)!.Attempt);
    }

    private ReplyAssembly Enter()
    {
        var assembly = new ReplyAssembly(Tests.Worker.Requests.Create(stream: true), Queue, "1", _options, _time);
        assembly.Enter(_admission);
        return assembly;
    }

    private static Frame Frame(ReplyAssembly request, ushort attempt, FrameKind kind) =>
        new(request.Request.RequestId, attempt, 0, kind, kind == FrameKind.Started ? new StartedNote("w").ToUtf8() : "{}"u8.ToArray());
}
