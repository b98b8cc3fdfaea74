using AgentPlatform.Messaging.Wire;

namespace AgentPlatform.Messaging.Answering;

/// <summary>The requests that a worker works on, for those that are cancelled. A cancel may also come before its job does.</summary>
/// <remarks>Safe for concurrent use.</remarks>
public sealed class Cancellations
{
    // How many cancels are remembered whose job may still wait in the queue.
    private const int Remembered = 8192;

    private readonly Lock _lock = new();
    private readonly Dictionary<Guid, List<Run>> _running = [];
    private readonly HashSet<Guid> _early = [];
    private readonly Queue<Guid> _earlyOrder = new();

    /// <summary>
    /// Cancels <paramref name="work"/> when that run of the request is cancelled, or at once if it was before. Dispose when the work is
    /// over.
    /// </summary>
    public IDisposable Watch(Guid requestId, ushort attempt, CancellationTokenSource work)
    {
        var run = new Run(this, requestId, attempt, work);
        bool isLate;
        lock (_lock)
        {
            isLate = _early.Remove(requestId);
            if (_running.TryGetValue(requestId, out var runs))
            {
                runs.Add(run);
            }
            else
            {
                _running.Add(requestId, [run]);
            }
        }

        if (isLate)
        {
            work.Cancel();
        }

        return run;
    }

    internal void Cancel(CancelMessage message)
    {
        List<Run> cancelled;
        lock (_lock)
        {
            if (_running.TryGetValue(message.RequestId, out var runs))
            {
                cancelled = runs.FindAll(run => message.Attempt is null || run.Attempt <= message.Attempt);
            }
            else
            {
                Remember(message);
                return;
            }
        }

        foreach (var run in cancelled)
        {
            run.Cancel();
        }
    }

    private void Remember(CancelMessage message)
    {
        // Of a run that was replaced nothing will come here: its job is at another worker.
        if (message.Attempt is null && _early.Add(message.RequestId))
        {
            _earlyOrder.Enqueue(message.RequestId);
            if (_earlyOrder.Count > Remembered)
            {
                _early.Remove(_earlyOrder.Dequeue());
            }
        }
    }

    private sealed class Run(Cancellations owner, Guid requestId, ushort attempt, CancellationTokenSource work) : IDisposable
    {
        public ushort Attempt => attempt;

        // Not on the thread that reads the broker's connection: what a token's callbacks do is not known here.
        public void Cancel() => ThreadPool.UnsafeQueueUserWorkItem(
            static source =>
            {
                try
                {
                    source.Cancel();
                }
                catch (ObjectDisposedException)
                {
                    // The work was over at the same moment.
                }
            }, work, preferLocal: false);

        public void Dispose()
        {
            lock (owner._lock)
            {
                if (owner._running.TryGetValue(requestId, out var runs) && runs.Remove(this) && runs.Count == 0)
                {
                    owner._running.Remove(requestId);
                }
            }
        }
    }
}
