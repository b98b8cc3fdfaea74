using AgentPlatform.Inference;
using Microsoft.Extensions.Options;

namespace AgentPlatform.Api.Replay;

/// <summary>
/// The responses on record in this process, by name. Bounded in number and in bytes: when there is no room, the oldest finished ones lose
/// their bytes, or are forgotten where it is the number that counts.
/// </summary>
/// <remarks>
/// Safe for concurrent use. A store that several gateways share would offer the same: claim a name or find who has it, follow a log from a
/// place, be told that the run has ended.
/// </remarks>
internal sealed class RecordedResponses
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, RecordedResponse> _named = new(StringComparer.Ordinal);
    private readonly LinkedList<RecordedResponse> _finished = new();
    private readonly LinkedList<RecordedResponse> _dropped = new();
    private readonly ReplayOptions _options;
    private readonly TimeProvider _time;
    private readonly ReplayMetrics _metrics;
    private long _charged;
    private int _count;
    private int _readers;

    public RecordedResponses(IOptions<ReplayOptions> options, TimeProvider time, ReplayMetrics metrics)
    {
        (_options, _time, _metrics) = (options.Value, time, metrics);
        metrics.Observe(this);
    }

    /// <summary>Bytes of memory in use.</summary>
    public long Charged => Interlocked.Read(ref _charged);

    /// <summary>Whether there is still room for more of the responses that run.</summary>
    public bool HasRoom => Charged <= _options.MaxTotalSize;

    /// <summary>How many responses have a name.</summary>
    public int Count => Volatile.Read(ref _count);

    /// <summary>How many clients read one.</summary>
    public int Readers => Volatile.Read(ref _readers);

    /// <summary>
    /// Opens the response that has the first of the names, or a new one with all of them, whose run the caller then has to begin.
    /// </summary>
    /// <exception cref="InferenceException">409 if another request has the name or the response is too large to be kept, 503 if there is no
    /// room.</exception>
    public (ResponseReader Reader, RecordedResponse? Fresh) Claim(
        IReadOnlyList<string> names, string fingerprint, TimeSpan keptFor, TimeSpan runsAlone)
    {
        lock (_lock)
        {
            if (_named.TryGetValue(names[0], out var known))
            {
                return known.Fingerprint != fingerprint ? throw new InferenceException(ReplayErrors.KeyReused())
                    : known.Log is null ? throw _metrics.Refused(ReplayErrors.NotKept(), "dropped")
                    : (Replay(known, known.Log, default, "key"), null);
            }

            if (_count >= _options.MaxResponses && !ForgetOldest())
            {
                throw _metrics.Refused(ReplayErrors.NoRoom(), "number");
            }

            var fresh = new RecordedResponse { Names = names, Fingerprint = fingerprint, KeptFor = keptFor, RunsAlone = runsAlone };
            fresh.Log = new ResponseLog(bytes => Charge(fresh, bytes));
            foreach (var name in names)
            {
                _named.Add(name, fresh);
            }

            _count++;
            return (Open(fresh, fresh.Log, default), fresh);
        }
    }

    /// <summary>Opens the response of that name behind one of its events.</summary>
    /// <exception cref="InferenceException">404 if there is none or it has no such event, 409 if it answers another request, 410 if it is
    /// too large to be kept.</exception>
    public ResponseReader Resume(string name, int lastEvent, string fingerprint)
    {
        lock (_lock)
        {
            return !_named.TryGetValue(name, out var known) ? throw new InferenceException(ReplayErrors.StreamNotFound())
                : known.Fingerprint != fingerprint ? throw new InferenceException(ReplayErrors.ResumeMismatch())
                : known.Log is not { } log ? throw _metrics.Refused(ReplayErrors.StreamExpired(), "dropped")
                : log.After(lastEvent) is not { } place ? throw new InferenceException(ReplayErrors.StreamNotFound())
                : Replay(known, log, place, "stream");
        }
    }

    /// <summary>A stream in the making has <paramref name="length"/> bytes and is to go on.</summary>
    /// <exception cref="InferenceException">It is too large to be kept, or all of them together are.</exception>
    public void RequireRoom(int length)
    {
        if (length > _options.MaxResponseSize)
        {
            throw _metrics.Refused(ReplayErrors.TooLarge(_options.MaxResponseSize), "response_size");
        }

        if (!HasRoom)
        {
            throw _metrics.Refused(ReplayErrors.OutOfRoom(), "total_size");
        }
    }

    /// <summary>Changes how long the run goes on without a reader.</summary>
    public void LetRunAlone(RecordedResponse response, TimeSpan span)
    {
        lock (_lock)
        {
            response.RunsAlone = span;
        }
    }

    /// <summary>No client finds it any more; those that read it go on.</summary>
    public void Forget(RecordedResponse response)
    {
        lock (_lock)
        {
            ForgetCore(response);
        }
    }

    /// <summary>The run has ended, and its response is kept if it was not forgotten before.</summary>
    public void Finish(RecordedResponse response)
    {
        lock (_lock)
        {
            response.IsFinished = true;
            if (response.IsForgotten)
            {
                response.Timer?.Dispose();
            }
            else
            {
                response.Finished = _finished.AddLast(response);
                SetTimer(response, response.KeptFor);
                if (response.Log?.Length > _options.MaxResponseSize)
                {
                    Drop(response);
                }
            }

            Release(response);
            DropUntilFits();
        }
    }

    /// <summary>A reader has left.</summary>
    internal void Leave(RecordedResponse response)
    {
        RecordedResponse? abandoned = null;
        lock (_lock)
        {
            _readers--;
            response.Readers--;
            Release(response);
            DropUntilFits();
            if (response.Readers == 0 && !response.IsFinished && response.RunsAlone != Timeout.InfiniteTimeSpan)
            {
                if (response.RunsAlone > TimeSpan.Zero)
                {
                    SetTimer(response, response.RunsAlone);
                }
                else
                {
                    ForgetCore(response);
                    abandoned = response;
                }
            }
        }

        abandoned?.Abandon(); // Not under the lock: what it cancels may be done here and now.
    }

    private ResponseReader Replay(RecordedResponse response, ResponseLog log, LogPlace place, string by)
    {
        _metrics.Replayed(by);
        return Open(response, log, place);
    }

    private ResponseReader Open(RecordedResponse response, ResponseLog log, LogPlace place)
    {
        _readers++;
        response.Readers++;
        return new ResponseReader(this, response, log, place);
    }

    private void Charge(RecordedResponse response, int bytes)
    {
        lock (_lock)
        {
            response.Charged += bytes;
            _charged += bytes;
            DropUntilFits();
        }
    }

    private void DropUntilFits()
    {
        for (var (node, next) = (_finished.First, _finished.First?.Next); node is not null && !HasRoom; (node, next) = (next, next?.Next))
        {
            if (node.Value.Readers == 0)
            {
                Drop(node.Value);
            }
        }
    }

    // Only its names stay, so that a retry is told so instead of running the request again.
    private void Drop(RecordedResponse response)
    {
        response.Log = null;
        _finished.Remove(response.Finished!);
        _dropped.AddLast(response.Finished!);
        Release(response);
    }

    private bool ForgetOldest()
    {
        var oldest = (_finished.First?.Value, _dropped.First?.Value) switch
        {
            ({ } kept, { } dropped) => kept.Due.Left < dropped.Due.Left ? kept : dropped,
            var (kept, dropped) => kept ?? dropped,
        };
        if (oldest is not null)
        {
            ForgetCore(oldest);
        }

        return oldest is not null;
    }

    private void ForgetCore(RecordedResponse response)
    {
        if (response.IsForgotten)
        {
            return;
        }

        response.IsForgotten = true;
        _count--;
        foreach (var name in response.Names)
        {
            _named.Remove(name);
        }

        if (response.Finished is { } node)
        {
            node.List!.Remove(node);
            response.Timer?.Dispose();
        }

        Release(response);
    }

    // Memory counts until neither the run nor a reader nor a name holds it.
    private void Release(RecordedResponse response)
    {
        if (response is { IsFinished: true, Readers: 0 } && (response.IsForgotten || response.Log is null))
        {
            _charged -= response.Charged;
            response.Charged = 0;
        }
    }

    private void SetTimer(RecordedResponse response, TimeSpan span)
    {
        response.Due = new TimeLimit(span, _time);
        response.Timer ??= _time.CreateTimer(state => Expire((RecordedResponse)state!), response, Timeout.InfiniteTimeSpan,
            Timeout.InfiniteTimeSpan);
        response.Timer.Change(span, Timeout.InfiniteTimeSpan);
    }

    private void Expire(RecordedResponse response)
    {
        lock (_lock)
        {
            // Somebody may have come, or the run have ended, while the timer was about to fire.
            var left = response.Due.Left;
            if (response.IsForgotten || (!response.IsFinished && response.Readers > 0))
            {
                return;
            }

            if (left > TimeSpan.Zero)
            {
                response.Timer?.Change(left, Timeout.InfiniteTimeSpan);
                return;
            }

            ForgetCore(response);
            if (response.IsFinished)
            {
                return;
            }
        }

        response.Abandon();
    }
}
