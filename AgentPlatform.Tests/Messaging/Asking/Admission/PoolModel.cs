using AgentPlatform.Messaging.Asking.Admission;
using Microsoft.Extensions.Time.Testing;

namespace AgentPlatform.Tests.Messaging.Asking.Admission;

/// <summary>
/// A queue and the pool behind it, event by event in virtual time: requests wait in order, each takes one of the pool's slots for its
/// service time and is dropped unserved if it is too old by then. A gateway's <see cref="QueueLoad"/> sees of it what it would see of a
/// real one.
/// </summary>
internal sealed class PoolModel
{
    private const double Transit = 0.002;

    private readonly FakeTimeProvider _time = new();
    private readonly PriorityQueue<Action, double> _events = new();
    private readonly Queue<Request> _queue = new();
    private readonly Func<double> _serviceTime;
    private int _free;

    public PoolModel(int slots, Func<double> serviceTime)
    {
        (_free, _serviceTime) = (slots, serviceTime);
        Load = new QueueLoad(new AdmissionOptions(), _time);
    }

    public QueueLoad Load { get; }

    /// <summary>False lets everybody in, as if nothing were known.</summary>
    public bool Refuses { get; init; } = true;

    public double Now { get; private set; }

    public int Completed { get; private set; }

    public int Expired { get; private set; }

    public int Refused { get; private set; }

    /// <summary>For each request that a worker began: how long it was expected to wait, and did.</summary>
    public List<(double At, double? Expected, double Actual)> Waits { get; } = [];

    /// <summary>
    /// Requests arrive at random, so many a second on average, from now until <paramref name="until"/>; each client waits for <paramref
    /// name="patience"/>.
    /// </summary>
    public void Offer(Random random, double rate, double until, double patience)
    {
        for (var at = Now + Next(); at < until; at += Next())
        {
            At(at, () => Arrive(patience));
        }

        double Next() => -Math.Log(1 - random.NextDouble()) / rate;
    }

    /// <summary>Takes slots away once they are free, or adds some.</summary>
    public void Resize(int change)
    {
        _free += change;
        Serve();
    }

    public bool Arrive(double patience)
    {
        var request = new Request { Arrived = Now, Patience = patience };
        var limit = TimeSpan.FromSeconds(Refuses ? patience : 1e9);
        if (Load.Enter(limit, bytes: 300, out request.Place, out var expected) != AdmissionRefusal.None)
        {
            Refused++;
            return false;
        }

        request.Expected = expected?.TotalSeconds;
        _queue.Enqueue(request);
        Serve();
        return true;
    }

    public void RunUntil(double until)
    {
        while (_events.TryPeek(out _, out var at) && at <= until)
        {
            Advance(at);
            _events.Dequeue()();
        }

        Advance(until);
    }

    private void Serve()
    {
        while (_free > 0 && _queue.TryDequeue(out var request))
        {
            if (Now > request.Arrived + request.Patience)
            {
                request.Place.Leave();
                Expired++;
                continue;
            }

            _free--;
            At(Now + Transit, () =>
            {
                request.Place.Start();
                Waits.Add((Now, request.Expected, Now - request.Arrived));
            });
            At(Now + Transit + _serviceTime(), () => End(request));
        }
    }

    private void End(Request request)
    {
        if (Now <= request.Arrived + request.Patience)
        {
            request.Place.Complete();
            Completed++;
        }
        else
        {
            request.Place.Leave();
            Expired++;
        }

        _free++;
        Serve();
    }

    private void At(double at, Action action) => _events.Enqueue(action, at);

    private void Advance(double to)
    {
        _time.Advance(TimeSpan.FromSeconds(to - Now));
        Now = to;
    }

    private sealed class Request
    {
        public QueuePlace Place;

        public double Arrived { get; init; }

        public double Patience { get; init; }

        public double? Expected { get; set; }
    }
}
