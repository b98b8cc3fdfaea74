using AgentPlatform.Messaging.Wire;

namespace AgentPlatform.Messaging.Asking;

/// <summary>How a worker's run of a request ended before its answer was complete.</summary>
internal enum AttemptEnd
{
    /// <summary>The broker took the job from the worker: its process or its connection broke.</summary>
    Lost,

    /// <summary>Nothing was heard of the worker for the time of a lease.</summary>
    Silent,

    /// <summary>A part is missing between those that came.</summary>
    Gap,

    /// <summary>The worker stopped and gave it back in good order.</summary>
    Returned,

    /// <summary>The worker said that the deadline had passed, and it had not.</summary>
    Early,

    /// <summary>What the worker sent could not be read.</summary>
    Unreadable,
}

/// <summary>One run of a request that did not complete its answer; together they explain a job that is given up.</summary>
/// <param name="Attempt">Its number.</param>
/// <param name="Worker">Who ran it; null if it never began.</param>
/// <param name="Parts">How many new parts of the answer came of it.</param>
/// <param name="End">How it ended.</param>
internal sealed record AttemptRecord(ushort Attempt, string? Worker, uint Parts, AttemptEnd End);

/// <summary>What a worker is told that asked whether to work on a request.</summary>
/// <param name="IsGranted">Whether it is to; otherwise the job is of no use any more and is to be acknowledged.</param>
/// <param name="Attempt">The number of its run.</param>
/// <param name="Alone">Whether it must share its engine with nobody.</param>
internal readonly record struct ClaimDecision(bool IsGranted, ushort Attempt, bool Alone);

/// <summary>
/// Who works on a request. At any time it is at most one worker, which holds the current attempt; only that one's parts count. A
/// holder is lost when the broker gives its job to somebody else, when it is silent for the time of a lease, or when a part is missing; the
/// attempt's number goes up at once, so that whatever still comes of it is late. A request of which nobody is known to work is
/// issued again, and the first worker that asks with any message of it becomes the holder.
/// </summary>
/// <remarks>
/// Not safe for concurrent use; <see cref="ReplyAssembly"/> guards it. The first worker need not ask: attempt 0 is held by whoever sends
/// the first frame of it.
/// </remarks>
internal sealed class Attempts(AskingOptions options, TimeProvider time)
{
    /// <summary>
    /// Messages of one re-issue. The broker gives them to different workers, since one of them may be frozen and not known to be.
    /// </summary>
    public const ushort Copies = 2;

    // A request that breaks its workers does so soon; one that was lost later was most likely lost with its worker for another's fault, and
    // counts for a quarter, so that it comes to an end too.
    private const int Strike = 4;
    private static readonly TimeSpan _soon = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan _firstPatience = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan _longestPatience = TimeSpan.FromSeconds(20);

    // A worker that has the first message is heard of sooner, by several times.
    private static readonly TimeSpan _firstWord = TimeSpan.FromSeconds(2);

    private readonly List<AttemptRecord> _ended = [];
    private readonly long _made = time.GetTimestamp();
    private bool _isHeld;
    private Guid _claim;
    private ushort _heldIssue;
    private ushort _lastIssue;
    private string? _worker;
    private uint _partsBefore;
    private int _suspicion;
    private int _earlyEnds;
    private long _passing = long.MaxValue;
    private bool _isAlone;
    private long _begun;
    private long _seen;
    private long _lost;
    private TimeSpan _patience;

    /// <summary>The number of the current attempt, whether somebody holds it or not.</summary>
    public ushort Current { get; private set; }

    /// <summary>Whether it was lost so often without a new part that it must be what breaks the workers.</summary>
    public bool IsPoison => _suspicion >= Strike * options.DeliveryLimit;

    /// <summary>The attempts that are over.</summary>
    public IReadOnlyList<AttemptRecord> Ended => _ended;

    /// <summary>A frame of <paramref name="attempt"/> came: whether it counts. Renews the lease.</summary>
    public bool Hear(ushort attempt)
    {
        if (attempt != Current || (!_isHeld && Current > 0))
        {
            return false;
        }

        _begun = _isHeld ? _begun : time.GetTimestamp();
        (_isHeld, _seen) = (true, time.GetTimestamp());
        if (_passing == long.MaxValue)
        {
            Volatile.Write(ref _passing, _seen);
        }

        return true;
    }

    /// <summary>
    /// The holder says that the deadline has passed, and it has not: whether to take it for lost. A worker like that may get the request
    /// again, but not for ever.
    /// </summary>
    public bool TryEndEarly(string? worker, uint parts)
    {
        if (_earlyEnds++ >= options.DeliveryLimit)
        {
            return false;
        }

        _worker ??= worker;
        Lose(AttemptEnd.Early, parts);
        return true;
    }

    /// <summary>The holder's engine began.</summary>
    public void Start(string worker) => (_worker, _begun) = (worker, time.GetTimestamp());

    /// <summary>A worker asks with a message of the request that is not its first delivery. Nobody is granted what is poison.</summary>
    /// <param name="note">The question.</param>
    /// <param name="parts">How many parts of the answer there are.</param>
    /// <param name="listeningSince">Timestamp since which its frames could come.</param>
    public ClaimDecision Claim(ClaimNote note, uint parts, long listeningSince)
    {
        if (_isHeld && note.Claim != _claim)
        {
            if (note.Issue != _heldIssue)
            {
                return default;
            }

            Lose(AttemptEnd.Lost, parts, listeningSince);
        }

        if (IsPoison)
        {
            return default;
        }

        if (!_isHeld)
        {
            // Somebody had attempt 0 and nothing came of it; it may still come.
            Current += (ushort)(Current == 0 ? 1 : 0);
            (_isHeld, _claim, _heldIssue, _partsBefore, _begun) = (true, note.Claim, note.Issue, parts, time.GetTimestamp());
        }

        _seen = time.GetTimestamp();

        // A worker that dies takes all of its requests with it, most of them for nothing that they did; to run alone is dear, since the
        // others have to leave. So only the last chance is alone, and nothing is given up that was not lost alone.
        _isAlone = _suspicion >= Strike * (options.DeliveryLimit - 1);
        return new ClaimDecision(true, Current, _isAlone);
    }

    /// <summary>The holder is lost.</summary>
    /// <param name="end">How.</param>
    /// <param name="parts">How many parts of the answer there are.</param>
    /// <param name="listeningSince">Timestamp since which its frames could come. A holder that was last heard of before it may have been
    /// lost with the broker, which is not the request's fault.</param>
    public void Lose(AttemptEnd end, uint parts, long listeningSince = 0)
    {
        _ended.Add(new AttemptRecord(Current, _worker, parts - _partsBefore, end));
        if (parts > _partsBefore)
        {
            _suspicion = 0;
        }
        else if (end is not (AttemptEnd.Returned or AttemptEnd.Early) && _seen >= listeningSince)
        {
            // As far as was heard of it: that it is lost may be known much later. A worker can break before its engine begins, over the
            // size of a request for one. But one that still waits to be alone is not alone yet with what breaks the worker.
            var wasSoon = time.GetElapsedTime(_begun, _seen) < _soon;
            _suspicion += wasSoon && (_worker is not null || !_isAlone) ? Strike : 1;
        }

        Current++;
        (_isHeld, _isAlone, _claim, _worker, _partsBefore, _lost) = (false, false, default, null, parts, time.GetTimestamp());

        // What the worker gave back comes to another one by itself; of the others the broker may know nothing for a long time.
        _patience = end is AttemptEnd.Silent or AttemptEnd.Gap or AttemptEnd.Early or AttemptEnd.Unreadable
            ? TimeSpan.Zero
            : options.LeaseTimeout;
    }

    /// <summary>
    /// When the request was made, if its first message was at a worker so long ago that all messages of its queue that are older were so
    /// too; else null.
    /// </summary>
    /// <remarks>Safe for concurrent use.</remarks>
    public long? Passed => Volatile.Read(ref _passing) is not long.MaxValue and var begun && time.GetElapsedTime(begun) > _firstWord
        ? _made
        : null;

    /// <summary>
    /// Whether a request that was made at <paramref name="front"/> is so much younger that this one stood before it in the queue.
    /// </summary>
    /// <remarks>Safe for concurrent use.</remarks>
    public bool IsBefore(long front) => time.GetElapsedTime(_made, front) > _firstWord;

    /// <summary>
    /// Whether nobody was heard of for so long that, unless the first message still waits in its queue, it must be lost or at a worker that
    /// is.
    /// </summary>
    public bool IsFirstMissing => !_isHeld && Current == 0 && time.GetElapsedTime(_made) > _firstWord;

    /// <summary>The first message does not wait in its queue: whoever has it is too late.</summary>
    public void GiveUpFirst() => (Current, _lost, _patience) = (1, time.GetTimestamp(), TimeSpan.Zero);

    /// <summary>Whether the holder was silent for too long.</summary>
    /// <param name="listeningSince">Timestamp since which its frames could come.</param>
    public bool IsSilent(long listeningSince) => _isHeld && time.GetElapsedTime(Math.Max(_seen, listeningSince)) > options.LeaseTimeout;

    /// <summary>
    /// Whether the request is to be issued again now, as <see cref="Copies"/> messages from number <paramref name="issue"/> on.
    /// </summary>
    public bool TryReissue(out ushort issue)
    {
        issue = (ushort)(_lastIssue + 1);
        if (_isHeld || Current == 0 || time.GetElapsedTime(_lost) < _patience)
        {
            return false;
        }

        // The messages may wait for a free worker. They may also be at frozen ones, or lost with their queue; others do no harm.
        _patience = _patience < _firstPatience ? _firstPatience : _patience * 2 < _longestPatience ? _patience * 2 : _longestPatience;
        _lost = time.GetTimestamp();
        _lastIssue += Copies;
        return true;
    }
}
