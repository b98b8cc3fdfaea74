using System.Collections.Concurrent;
using System.Diagnostics;
using AgentPlatform.Inference;
using AgentPlatform.Messaging.Asking.Admission;
using AgentPlatform.Messaging.Broker;
using AgentPlatform.Messaging.Telemetry;
using AgentPlatform.Messaging.Wire;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace AgentPlatform.Messaging.Asking;

/// <summary>A gateway's one reply queue: hands each frame to the request that waits for it, and answers the workers that ask.</summary>
/// <remarks>Safe for concurrent use.</remarks>
public sealed partial class ReplyReceiver : IReplyHandler
{
    private readonly ConcurrentDictionary<Guid, ReplyAssembly> _waiting = new();
    private readonly ControlPublisher _control;
    private readonly QueueAdmission _admission;
    private readonly BrokerState _broker;
    private readonly MessagingTelemetry _telemetry;
    private readonly AskingOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger<ReplyReceiver> _logger;
    private readonly RepeatedLog<string> _malformed;
    private volatile string _address = NewAddress();
    private readonly RepeatedLog<(string Worker, TimeSpan Left)> _early;

    public ReplyReceiver(
        ControlPublisher control, QueueAdmission admission, BrokerState broker, MessagingTelemetry telemetry,
        IOptions<AskingOptions> options,
        TimeProvider time, ILogger<ReplyReceiver> logger)
    {
        (_control, _admission, _broker, _telemetry) = (control, admission, broker, telemetry);
        (_options, _time, _logger) = (options.Value, time, logger);
        _malformed = new(time, (reason, count) => MalformedReply(logger, count, reason));
        _early = new(time, (early, count) => WorkerEarly(logger, count, early.Worker, early.Left));
    }

    /// <summary>
    /// Where workers send the answers; a new name for each start, so that an instance never reads what an earlier one left, and where the
    /// node of a cluster that had the queue is lost.
    /// </summary>
    public string Address => _address;

    /// <summary>The requests that wait for their answers.</summary>
    internal IEnumerable<ReplyAssembly> Waiting => _waiting.Select(static waiting => waiting.Value);

    /// <summary>
    /// Begins to gather the answer to a request; call before publishing it to <paramref name="queue"/>, and <see cref="Forget"/> when it is
    /// over.
    /// </summary>
    /// <exception cref="InferenceException">429: so many wait in the queue that its turn would come after its deadline, or what waits is
    /// too large.</exception>
    public ReplyAssembly Admit(InferenceRequest request, string queue, string version)
    {
        var assembly = new ReplyAssembly(request, queue, version, _options, _time)
        {
            EndedEarly = (worker, left) =>
            {
                _telemetry.EndedEarly(queue);
                _early.Write((worker ?? "unknown", left));
            },
        };
        assembly.Enter(_admission);
        if (!_waiting.TryAdd(request.RequestId, assembly))
        {
            assembly.Leave();
            throw new InvalidOperationException($"Request {request.RequestId} is already awaited.");
        }

        return assembly;
    }

    /// <summary>Nobody waits for the answer any more.</summary>
    public void Forget(Guid requestId)
    {
        if (_waiting.TryRemove(requestId, out var assembly))
        {
            assembly.Leave();
        }
    }

    /// <summary>Starts the span of an answer on its way back, from the published job to the last part.</summary>
    public Activity? StartReceiving() => MessagingTelemetry.StartReceive(Address);

    /// <inheritdoc/>
    /// <remarks>
    /// The requests whose answers are on their way to the old one are silent from now on, and are issued again with the new one.
    /// </remarks>
    public void ChangeAddress() => _address = NewAddress();

    /// <inheritdoc/>
    public void Receive(ReadOnlyMemory<byte> frames)
    {
        _telemetry.Consumed(QueueNames.Replies);
        try
        {
            foreach (var frame in FrameBatch.Read(frames))
            {
                if (frame.Kind == FrameKind.Unreadable)
                {
                    Malformed($"A frame of request {frame.RequestId} cannot be read.");
                }

                var assembly = _waiting.GetValueOrDefault(frame.RequestId);
                if (frame.Kind == FrameKind.Claim)
                {
                    Answer(frame, assembly);
                }
                else if (assembly is null)
                {
                    // The worker missed the cancel, or took the job after it.
                    CancelSometimes(frame, attempt: null);
                }
                else if (!assembly.Accept(frame))
                {
                    // The worker was taken for lost, and another one goes on.
                    CancelSometimes(frame, frame.Attempt);
                }
            }
        }
        catch (FormatException e)
        {
            // The requests whose frames stood behind the break miss them, and go on elsewhere.
            Malformed(e.Message);
        }
    }

    private static string NewAddress() => QueueNames.Reply($"{Environment.MachineName}.{Guid.NewGuid():N}");

    private void Malformed(string reason)
    {
        _telemetry.Malformed(QueueNames.Replies);
        _malformed.Write(reason);
    }

    private void Answer(in Frame frame, ReplyAssembly? assembly)
    {
        if (ClaimNote.Read(frame.Payload.Span) is not { } claim)
        {
            Malformed($"A claim of request {frame.RequestId} cannot be read.");
            return;
        }

        var answer = assembly is null ? GrantMessage.Refuse(frame.RequestId, claim.Claim) : assembly.Claim(claim, _broker.OpenedAt);
        if (answer is not null)
        {
            _control.Answer(claim, answer);
            Claimed(_logger, frame.RequestId, claim.Worker, answer.Attempt, answer.Parts);
        }
    }

    // Not for every token: the next cancel is on its way.
    private void CancelSometimes(in Frame frame, ushort? attempt)
    {
        if (frame.Kind is FrameKind.Started or FrameKind.Alive || (frame.Kind == FrameKind.Delta && frame.Offset % 64 == 0))
        {
            _control.Cancel(frame.RequestId, attempt);
        }
    }

    [LoggerMessage(LogLevel.Debug, "Request {RequestId} was claimed by {Worker}: attempt {Attempt} from part {Parts}")]
    private static partial void Claimed(ILogger logger, Guid requestId, string worker, ushort? attempt, uint parts);

    [LoggerMessage(LogLevel.Error, "Dropped what workers sent, {Count} times, the latest since: {Reason}")]
    private static partial void MalformedReply(ILogger logger, int count, string reason);

    [LoggerMessage(LogLevel.Warning, "{Count} requests were refused by workers as past their deadlines though they had time, the latest " +
        "by {Worker} with {Left} left; other workers go on with them")]
    private static partial void WorkerEarly(ILogger logger, int count, string worker, TimeSpan left);
}
