using System.Buffers;
using AgentPlatform.Messaging.Broker;
using AgentPlatform.Messaging.Telemetry;
using AgentPlatform.Messaging.Wire;

namespace AgentPlatform.Messaging.Answering;

/// <summary>
/// The frames on their way from this worker to one gateway. At most one message is in flight; what gathers meanwhile shares the
/// next one, so the frames keep their order and a busy lane makes ever larger messages instead of more of them. An idle lane
/// sends the last frame of an answer at once; a streamed token waits until every stream of the lane has one to send, which is
/// the end of the engine's decode step, and at most the coalescing window. An answer that is silent says from time to time that it is
/// still worked on, since its gateway takes it for lost otherwise.
/// </summary>
/// <remarks>Safe for concurrent use.</remarks>
internal sealed class FrameLane
{
    // A broker that stops confirming must not fill the worker's memory before the replies's watch gives the connection up.
    private const int MaxWaitingBytes = 64 * 1024 * 1024;

    private readonly Lock _lock = new();
    private readonly HashSet<FrameWriter> _writers = [];
    private readonly IReplySender _replies;
    private readonly MessagingTelemetry _telemetry;
    private readonly TimeSpan _window;
    private readonly ITimer _timer;
    private readonly ITimer _pulse;
    private ArrayBufferWriter<byte> _gathering = new();
    private ArrayBufferWriter<byte> _spare = new();
    private TaskCompletionSource<PublishOutcome> _outcome = NewOutcome();
    private int _frames;
    private int _streaming;
    private int _pending;
    private bool _inFlight;
    private bool _due;
    private bool _timerSet;

    public FrameLane(string replyQueue, IReplySender replies, MessagingTelemetry telemetry, AnsweringOptions options, TimeProvider time)
    {
        (ReplyQueue, _replies, _telemetry, _window) = (replyQueue, replies, telemetry, options.CoalesceWindow);
        _timer = time.CreateTimer(_ => OnWindowPassed(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _pulse = time.CreateTimer(_ => Beat(), null, options.HeartbeatInterval, options.HeartbeatInterval);
    }

    public string ReplyQueue { get; }

    /// <summary>Whether nothing can be sent here any more.</summary>
    public bool IsDead { get; private set; }

    /// <summary>Whether it is dead because the gateway's queue is gone, and not because the connection broke.</summary>
    public bool IsGatewayGone { get; private set; }

    public void Add(FrameWriter writer)
    {
        lock (_lock)
        {
            _writers.Add(writer);
        }
    }

    /// <summary>Forgets a writer; true if none is left.</summary>
    public bool Remove(FrameWriter writer)
    {
        lock (_lock)
        {
            _writers.Remove(writer);
            _streaming -= writer.IsStreaming ? 1 : 0;
            _pending -= writer.HasPending ? 1 : 0;
            (writer.IsStreaming, writer.HasPending) = (false, false);

            // The step of the others may have waited for this stream only.
            SendIfDue();
            if (_writers.Count > 0)
            {
                return false;
            }

            _pulse.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            return true;
        }
    }

    /// <summary>The writer's answer is worked on here from now on.</summary>
    public void Begin(FrameWriter writer)
    {
        lock (_lock)
        {
            (writer.IsBegun, writer.HasSpoken) = (true, false);
        }
    }

    public void Append(FrameWriter writer, in Frame frame)
    {
        lock (_lock)
        {
            Gather(frame);
            writer.HasSpoken = true;
            if (frame.Kind == FrameKind.Delta)
            {
                _streaming += writer.IsStreaming ? 0 : 1;
                _pending += writer.HasPending ? 0 : 1;
                (writer.IsStreaming, writer.HasPending) = (true, true);
            }

            SendIfDue();
            if (!_inFlight && !_timerSet)
            {
                _timerSet = true;
                _timer.Change(_window, Timeout.InfiniteTimeSpan);
            }
        }
    }

    /// <summary>Sends a frame at once, and says when the broker has it.</summary>
    public Task<PublishOutcome> AppendUrgent(FrameWriter writer, in Frame frame)
    {
        lock (_lock)
        {
            Gather(frame);
            (writer.HasSpoken, _due) = (true, true);
            var outcome = _outcome.Task;
            SendIfDue();
            return outcome;
        }
    }

    /// <summary>Appends the last frame of an answer and closes its writer; says what became of the message that carries it.</summary>
    public Task<PublishOutcome> AppendLast(FrameWriter writer, in Frame frame)
    {
        lock (_lock)
        {
            _streaming -= writer.IsStreaming ? 1 : 0;
            _pending -= writer.HasPending ? 1 : 0;
            (writer.IsStreaming, writer.HasPending, writer.IsBegun) = (false, false, false);
            return AppendUrgent(writer, frame);
        }
    }

    /// <summary>The gateway is gone, though its queue is not.</summary>
    /// <returns>How many answers were on their way.</returns>
    public int Abandon()
    {
        lock (_lock)
        {
            var answers = _writers.Count;
            (IsDead, IsGatewayGone) = (true, true);
            SendIfDue();
            return answers;
        }
    }

    private static TaskCompletionSource<PublishOutcome> NewOutcome() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private void Gather(in Frame frame)
    {
        if (IsDead || _gathering.WrittenCount > MaxWaitingBytes)
        {
            IsDead = true;
            return;
        }

        if (_gathering.WrittenCount == 0)
        {
            FrameBatch.Begin(_gathering);
        }

        FrameBatch.Append(_gathering, frame);
        _frames++;
    }

    private void Beat()
    {
        lock (_lock)
        {
            foreach (var writer in _writers)
            {
                if (writer is { IsBegun: true, HasSpoken: false })
                {
                    Gather(writer.Alive());
                    _due = true;
                }

                writer.HasSpoken = false;
            }

            SendIfDue();
        }
    }

    private void OnWindowPassed()
    {
        lock (_lock)
        {
            _timerSet = false;
            _due = _frames > 0;
            SendIfDue();
        }
    }

    private void SendIfDue()
    {
        if (IsDead)
        {
            _outcome.TrySetResult(PublishOutcome.Lost);
            Fail();
        }
        else if (!_inFlight && _frames > 0 && (_due || (_pending > 0 && _pending == _streaming)))
        {
            _inFlight = true;
            _ = SendAsync(_gathering, _outcome, _frames);
            (_gathering, _spare, _outcome, _frames, _due, _pending) = (_spare, _gathering, NewOutcome(), 0, false, 0);
            foreach (var writer in _writers)
            {
                writer.HasPending = false;
            }
        }
    }

    private async Task SendAsync(ArrayBufferWriter<byte> message, TaskCompletionSource<PublishOutcome> outcome, int frames)
    {
        var result = await _replies.SendAsync(ReplyQueue, message.WrittenMemory);
        _telemetry.Sent(QueueNames.Replies);
        _telemetry.FramesSent(frames);
        message.ResetWrittenCount();
        outcome.TrySetResult(result);

        lock (_lock)
        {
            _inFlight = false;
            if (result != PublishOutcome.Confirmed)
            {
                (IsDead, IsGatewayGone) = (true, result == PublishOutcome.Returned);
            }

            // What came while the message was away has waited long enough, except a step that is still filling up.
            _due |= _frames > 0 && _streaming == 0;
            SendIfDue();
            if (!_inFlight && _frames > 0 && !_timerSet)
            {
                _timerSet = true;
                _timer.Change(_window, Timeout.InfiniteTimeSpan);
            }
        }
    }

    private void Fail()
    {
        _timer.Dispose();
        _pulse.Dispose();
        foreach (var writer in _writers)
        {
            ThreadPool.UnsafeQueueUserWorkItem(static gone => gone.SignalGone(), writer, preferLocal: false);
        }

        _writers.Clear();
    }
}
