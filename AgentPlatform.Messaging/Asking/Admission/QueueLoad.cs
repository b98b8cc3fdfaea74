namespace AgentPlatform.Messaging.Asking.Admission;

/// <summary>
/// What this gateway knows of one queue: how many of its requests wait there, how fast the pool takes them, and so how long another one
/// would wait. A queue is first in, first out, and a gateway's share of what is started is its share of what waits, so its own requests are
/// all that it has to count.
/// </summary>
/// <remarks>Safe for concurrent use; a request costs two short locks and no allocation.</remarks>
public sealed class QueueLoad(AdmissionOptions options, TimeProvider time)
{
    // Below it a wait is the way through the broker, and starts come as fast as clients ask and not as fast as the pool could.
    private const double Backlog = 0.1;

    // Large requests leave this share of the bytes to small ones.
    private const double LargeShare = 0.75;

    private const double ServiceFade = 31.0 / 32;
    private const double EnoughServices = 4;
    private const int UnknownRetrySeconds = 2;

    private readonly Lock _lock = new();
    private readonly long _origin = time.GetTimestamp();
    private readonly ServiceRate _rate = new();
    private int _waiting;
    private long _waitingBytes;
    private int _running;
    private double _busySince;
    private double _lastStart;
    private double _services;
    private double _serviceSeconds;

    /// <summary>Requests that were published and not started.</summary>
    public int Waiting => Volatile.Read(ref _waiting);

    /// <summary>Bytes of the requests that were published and not started.</summary>
    public long WaitingBytes => Volatile.Read(ref _waitingBytes);

    /// <summary>
    /// How long a request that is published now would wait; null while the pool's pace is not known, such as after a start from zero.
    /// </summary>
    public TimeSpan? ExpectedWait
    {
        get
        {
            lock (_lock)
            {
                return WaitAt(Now()) is { } wait ? Span(wait) : null;
            }
        }
    }

    /// <summary>In how many seconds a refused client may try again, at least 1.</summary>
    public int RetryAfterSeconds => RetryAfter(ExpectedWait);

    /// <summary>
    /// Gives a request its place, unless its turn would come too late for an answer within <paramref name="timeLeft"/> or what waits is too
    /// large.
    /// </summary>
    /// <param name="timeLeft">How long its client goes on waiting.</param>
    /// <param name="bytes">The request's size.</param>
    /// <param name="place">Its place, to be kept where it is; empty if it got none.</param>
    /// <param name="expectedWait">How long it would wait or would have waited, where known; for <see cref="AdmissionRefusal.UnknownPace"/>
    /// as far as can be guessed.</param>
    public AdmissionRefusal Enter(TimeSpan timeLeft, int bytes, out QueuePlace place, out TimeSpan? expectedWait)
    {
        lock (_lock)
        {
            var now = Now();
            var wait = WaitAt(now);
            var refusal = Judge(wait, options.DeadlineShare * Math.Max(0, timeLeft.TotalSeconds - Service()), bytes);
            wait = refusal == AdmissionRefusal.UnknownPace ? _waiting / AssumedPace : wait;
            expectedWait = wait is { } seconds ? Span(seconds) : null;
            if (refusal != AdmissionRefusal.None)
            {
                place = default;
                return refusal;
            }

            if (_waiting++ == 0)
            {
                _busySince = now;
            }

            _waitingBytes += bytes;
            place = new QueuePlace(this, now, bytes);
            return AdmissionRefusal.None;
        }
    }

    /// <summary>In how many seconds a client is asked back whose request would have waited for so long.</summary>
    public int RetryAfter(TimeSpan? expectedWait) =>
        expectedWait is { } wait
            ? (int)Math.Clamp(Math.Ceiling(wait.TotalSeconds), 1, options.MaxRetryAfter.TotalSeconds)
            : UnknownRetrySeconds;

    internal void Start(ref QueuePlace place)
    {
        lock (_lock)
        {
            StartAt(ref place, Now());
        }
    }

    internal void Complete(ref QueuePlace place)
    {
        lock (_lock)
        {
            var now = Now();
            StartAt(ref place, now);
            if (place.Stage == PlaceStage.Started)
            {
                place.Stage = PlaceStage.Over;
                _running--;
                _services = (_services * ServiceFade) + 1;
                _serviceSeconds = (_serviceSeconds * ServiceFade) + now - place.Started;
            }
        }
    }

    internal bool Leave(ref QueuePlace place)
    {
        lock (_lock)
        {
            var wasWaiting = place.Stage == PlaceStage.Waiting;
            if (wasWaiting)
            {
                _waiting--;
                _waitingBytes -= place.Bytes;
            }

            _running -= place.Stage == PlaceStage.Started ? 1 : 0;
            place.Stage = PlaceStage.Over;
            return wasWaiting;
        }
    }

    private AdmissionRefusal Judge(double? wait, double limit, int bytes)
    {
        if (_waiting == 0)
        {
            return AdmissionRefusal.None;
        }

        if (_waitingBytes + bytes > (bytes <= options.SmallRequestSize ? options.MaxWaitingBytes : LargeShare * options.MaxWaitingBytes))
        {
            return AdmissionRefusal.Bytes;
        }

        if (wait is { } known)
        {
            return known > limit ? AdmissionRefusal.Deadline : AdmissionRefusal.None;
        }

        // A pool may be starting from zero, and needs a backlog to be started at all; one that runs so many at once is worth as many that
        // wait.
        return _waiting >= Math.Max(Math.Max(options.InitialBacklog, _running), AssumedPace * limit)
            ? AdmissionRefusal.UnknownPace
            : AdmissionRefusal.None;
    }

    // What it did when it was last measured, which may be long ago and of a pool of another size.
    private double AssumedPace => _rate.Last ?? options.InitialPace;

    private static TimeSpan Span(double seconds) => TimeSpan.FromSeconds(Math.Min(seconds, TimeSpan.MaxValue.TotalSeconds / 2));

    private void StartAt(ref QueuePlace place, double now)
    {
        if (place.Stage != PlaceStage.Waiting)
        {
            return;
        }

        (place.Stage, place.Started) = (PlaceStage.Started, now);
        _waiting--;
        _waitingBytes -= place.Bytes;
        _running++;
        if (now - place.Entered >= Backlog)
        {
            _rate.Add(Math.Min(now - _lastStart, now - place.Entered), Service(), now);
        }

        _lastStart = now;
    }

    private double? WaitAt(double now) => _waiting / _rate.At(_waiting > 0 ? now - Math.Max(_lastStart, _busySince) : 0, Service(), now);

    // How long an answer takes once a worker has begun; nothing, while too few came to their end.
    private double Service() => _services >= EnoughServices ? _serviceSeconds / _services : 0;

    private double Now() => time.GetElapsedTime(_origin).TotalSeconds;
}
