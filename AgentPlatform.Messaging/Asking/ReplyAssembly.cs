using System.Diagnostics;
using System.Runtime.CompilerServices;
using AgentPlatform.Inference;
using AgentPlatform.Messaging.Asking.Admission;
using AgentPlatform.Messaging.Wire;

namespace AgentPlatform.Messaging.Asking;

/// <summary>
/// The answer to one request as its gateway puts it together: owns the order of the parts, whatever the workers send. It takes
/// only the next part of the current attempt; late frames of an older attempt, duplicates and parts that another attempt
/// repeats are dropped. A worker that is lost is replaced by one that goes on after the last part taken (<see cref="Attempts"/>).
/// </summary>
/// <remarks>
/// Safe for concurrent use; <see cref="ReadAsync"/> has one reader. Nothing here waits: a reader that falls behind by more than the
/// capacity fails its own request and holds up nobody else's.
/// </remarks>
public sealed class ReplyAssembly
{
    // Two machines count time at slightly different rates, and a timer is not exact.
    private static readonly TimeSpan _nearlyOver = TimeSpan.FromMilliseconds(100);

    private readonly Lock _lock = new();
    private readonly Attempts _attempts;
    private readonly PartQueue _parts;
    private QueueAdmission? _admission;
    private QueuePlace _place;
    private ResumeStateBuffer _resumeState;
    private uint _next;
    private uint _delivered;
    private bool _ended;
    private bool _isBeingDeadLettered;

    internal ReplyAssembly(InferenceRequest request, string queue, string version, AskingOptions options, TimeProvider time)
    {
        (Request, Queue, Version) = (request, queue, version);
        _attempts = new Attempts(options, time);
        _parts = new PartQueue(options.ReplyCapacity);
    }

    /// <summary>The request.</summary>
    public InferenceRequest Request { get; }

    /// <summary>The queue that it was published to.</summary>
    public string Queue { get; }

    /// <summary>The model's version that answers it.</summary>
    public string Version { get; }

    /// <summary>The span in which it was asked for, to which belongs whatever is done about it later.</summary>
    internal Activity? Span { get; } = Activity.Current;

    /// <summary>Called when a worker, whose name is given if it is known, took the deadline for passed though time was left.</summary>
    internal Action<string?, TimeSpan>? EndedEarly { get; init; }

    /// <summary>Gives the request its place in the queue.</summary>
    /// <exception cref="InferenceException">429: its turn would come too late, or it does not fit.</exception>
    internal void Enter(QueueAdmission admission)
    {
        admission.Enter(Queue, Request, out _place);
        _admission = admission;
    }

    /// <summary>It is over: nobody counts it as waiting any more.</summary>
    internal void Leave() => _admission?.Leave(Queue, Request, ref _place);

    /// <summary>
    /// Takes a frame that was addressed to this request and copies what it keeps; false if it is of an attempt that was lost.
    /// </summary>
    public bool Accept(in Frame frame)
    {
        lock (_lock)
        {
            if (_ended)
            {
                return true;
            }

            if (!_attempts.Hear(frame.Attempt))
            {
                return false;
            }

            switch (frame.Kind)
            {
                case FrameKind.Alive:
                    break;
                case FrameKind.Unreadable or FrameKind.Returned:
                    _attempts.Lose(frame.Kind == FrameKind.Returned ? AttemptEnd.Returned : AttemptEnd.Unreadable, _delivered);
                    break;
                case FrameKind.Started:
                    Start(frame);
                    break;
                default:
                    Take(frame);
                    break;
            }

            return true;
        }
    }

    /// <summary>
    /// Answers a worker that asks whether to work on this request; null while it is being given up, until that is safely written down.
    /// </summary>
    /// <param name="note">The question.</param>
    /// <param name="listeningSince">Timestamp since which this gateway hears what workers send.</param>
    internal GrantMessage? Claim(ClaimNote note, long listeningSince)
    {
        lock (_lock)
        {
            var decision = _ended ? default : _attempts.Claim(note, _delivered, listeningSince);
            if (!decision.IsGranted)
            {
                return !_ended && _attempts.IsPoison ? null : GrantMessage.Refuse(Request.RequestId, note.Claim);
            }

            _next = _delivered;
            return new GrantMessage(
                Request.RequestId, note.Claim, decision.Attempt, _delivered, _resumeState.Written.ToArray(), decision.Alone,
                JobHeaders.MillisecondsLeft(Request.TimeLimit));
        }
    }

    /// <summary>Whether it is lost unless its first message waits in its queue.</summary>
    internal bool IsFirstMissing()
    {
        lock (_lock)
        {
            return !_ended && _attempts.IsFirstMissing;
        }
    }

    /// <summary>See <see cref="Attempts"/>.</summary>
    internal long? Passed => _attempts.Passed;
    internal bool IsBefore(long front) => _attempts.IsBefore(front);

    /// <summary>Looks after the request: finds out whether its worker is silent and what it needs.</summary>
    /// <param name="listeningSince">Timestamp since which this gateway hears what workers send.</param>
    /// <param name="isFirstGone">Whether its first message does not wait in its queue.</param>
    /// <param name="issue">For <see cref="RequestNeed.Reissue"/>: the number of the first of the new messages.</param>
    internal RequestNeed Check(long listeningSince, bool isFirstGone, out ushort issue)
    {
        lock (_lock)
        {
            issue = 0;
            if (_ended || _isBeingDeadLettered)
            {
                return RequestNeed.None;
            }

            if (_attempts.IsSilent(listeningSince))
            {
                _attempts.Lose(AttemptEnd.Silent, _delivered, listeningSince);
            }
            else if (isFirstGone && _attempts.IsFirstMissing)
            {
                _attempts.GiveUpFirst();
            }

            if (_attempts.IsPoison)
            {
                _isBeingDeadLettered = true;
                return RequestNeed.DeadLetter;
            }

            return _attempts.TryReissue(out issue) ? RequestNeed.Reissue : RequestNeed.None;
        }
    }

    /// <summary>It could not be written down that the request is given up; it needs that still.</summary>
    internal void PostponeDeadLettering()
    {
        lock (_lock)
        {
            _isBeingDeadLettered = false;
        }
    }

    /// <summary>What became of the workers that tried.</summary>
    internal IReadOnlyList<AttemptRecord> Attempts()
    {
        lock (_lock)
        {
            return [.. _attempts.Ended];
        }
    }

    /// <summary>Ends the answer with <paramref name="error"/>, unless it has ended.</summary>
    public void Fail(InferenceError error)
    {
        lock (_lock)
        {
            _ended = true;
            _parts.Complete(new InferenceException(error));
        }
    }

    /// <summary>The parts in order; ends after the last one.</summary>
    /// <exception cref="InferenceException">The request failed; the parts before the failure have been given.</exception>
    public async IAsyncEnumerable<ReplyPart> ReadAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await using var cancelled = cancellationToken.UnsafeRegister(
            static (parts, token) => ((PartQueue)parts!).Complete(new OperationCanceledException(token)), _parts);
        try
        {
            do
            {
                while (_parts.TryRead(out var part))
                {
                    yield return part;
                }
            }
            while (await _parts.WaitToReadAsync());
        }
        finally
        {
            Close();
        }
    }

    private void Start(in Frame frame)
    {
        if (frame.Offset > _delivered)
        {
            _attempts.Lose(AttemptEnd.Gap, _delivered);
            return;
        }

        _next = frame.Offset;
        _place.Start();
        _attempts.Start(StartedNote.Read(frame.Payload.Span)?.Worker ?? "");
    }

    private void Take(in Frame frame)
    {
        if (frame.Offset < _next)
        {
            return;
        }

        if (frame.Offset > _next)
        {
            _attempts.Lose(AttemptEnd.Gap, _delivered);
            return;
        }

        _next++;
        if (frame.Kind == FrameKind.Error)
        {
            // Whatever was delivered before, an error is news: a repeated attempt may fail where the first one went on.
            End(ErrorNote.Read(frame.Payload.Span));
        }
        else if (frame.Offset == _delivered)
        {
            Deliver(frame);
        }
    }

    private void End(ErrorNote note)
    {
        var error = note.ToError();
        if (error.Kind == ErrorKind.DeadlinePassed && Request.TimeLimit.Left is var left && left > _nearlyOver
            && _attempts.TryEndEarly(note.Worker, _delivered))
        {
            // The client waits, and by its gateway's clock there is time: the worker counts wrongly.
            EndedEarly?.Invoke(note.Worker, left);
            return;
        }

        Fail(error);
    }

    private void Deliver(in Frame frame)
    {
        if (!_parts.TryWrite(frame.Kind.ToReplyKind(), frame.Payload.Span))
        {
            Fail(new InferenceError(ErrorKind.Unavailable, "The client reads its answer more slowly than it is made.", "client_too_slow"));
            return;
        }

        _delivered++;
        if (frame.Kind is FrameKind.Result or FrameKind.End)
        {
            _ended = true;
            _place.Complete();
            _parts.Complete();
        }
        else
        {
            _resumeState.Append(frame.ResumeState.Span);
        }
    }

    private void Close()
    {
        lock (_lock)
        {
            _ended = true;
            _parts.Close();
            _resumeState.Clear();
        }
    }
}
