namespace AgentPlatform.Testing.Chaos;

/// <summary>What can happen in the mixed plan.</summary>
internal enum FaultKind
{
    /// <summary>kill -9 of a worker, which is started again.</summary>
    Kill,

    /// <summary>SIGTERM to a worker, which is started again.</summary>
    Restart,

    /// <summary>SIGSTOP of a worker, and SIGCONT.</summary>
    Freeze,

    /// <summary>Resets the connections of one side to the broker.</summary>
    Reset,

    /// <summary>Stalls the connections of one side to the broker.</summary>
    Stall,

    /// <summary>A client that reads slowly.</summary>
    SlowClient,

    /// <summary>A request that kills workers.</summary>
    Poison,

    /// <summary>The broker's node is killed and started.</summary>
    Broker,
}

/// <summary>Something that happens at its time.</summary>
/// <param name="At">From the beginning.</param>
/// <param name="Kind">What.</param>
/// <param name="Target">The worker's index; for connections the proxy's, of which the first is the gateway's.</param>
/// <param name="Length">How long it lasts, where it lasts.</param>
internal sealed record Fault(TimeSpan At, FaultKind Kind, int Target, TimeSpan Length)
{
    private static readonly TimeSpan _startTime = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan _drainTime = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan _brokerTime = TimeSpan.FromSeconds(15);

    // Out of a hundred.
    private static readonly (FaultKind Kind, int Weight)[] _weights =
    [
        (FaultKind.Kill, 32), (FaultKind.Restart, 20), (FaultKind.Freeze, 16), (FaultKind.Reset, 15), (FaultKind.Stall, 8),
        (FaultKind.SlowClient, 6), (FaultKind.Poison, 2),
        (FaultKind.Broker, 1),
    ];

    /// <summary>
    /// A sequence of faults, a function of its arguments alone. One worker always stays untouched long enough to be there,
    /// and the broker fails when nothing else does. The first three are the rare ones, so that a short plan has them too.
    /// </summary>
    public static IReadOnlyList<Fault> Create(int seed, TimeSpan length, int workers)
    {
        var random = new Random(seed);
        var faults = new List<Fault>();
        var busyUntil = new TimeSpan[workers];
        var rare = new Queue<FaultKind>([FaultKind.Poison, FaultKind.SlowClient, FaultKind.Broker]);
        for (var at = TimeSpan.FromSeconds(2); at < length; at += TimeSpan.FromSeconds(0.5 + (2.5 * random.NextDouble())))
        {
            var fault = new Fault(
                at, rare.TryDequeue(out var due) ? due : Choose(random), random.Next(workers),
                TimeSpan.FromSeconds(2 + (8 * random.NextDouble())));
            switch (fault.Kind)
            {
                case FaultKind.Kill or FaultKind.Restart or FaultKind.Freeze:
                    var free = Enumerable.Range(0, workers).Where(worker => busyUntil[worker] <= at).ToList();
                    if (free.Count < 2)
                    {
                        continue;
                    }

                    fault = fault with { Target = free[fault.Target % free.Count] };
                    busyUntil[fault.Target] = at
                        + (fault.Kind == FaultKind.Freeze ? fault.Length : fault.Kind == FaultKind.Restart ? _drainTime : TimeSpan.Zero)
                        + _startTime;
                    break;
                case FaultKind.Poison:
                    // It may kill them all, one after another.
                    Array.Fill(busyUntil, at + (3 * _startTime));
                    break;
                case FaultKind.Broker:
                    at = new[] { at, busyUntil.Max() }.Max();
                    if (at >= length)
                    {
                        continue;
                    }

                    fault = fault with { At = at };
                    at += _brokerTime;
                    break;
                case FaultKind.Reset or FaultKind.Stall:
                    fault = fault with { Target = random.Next(workers + 1) };
                    break;
                default:
                    break;
            }

            faults.Add(fault);
        }

        return faults;
    }

    private static FaultKind Choose(Random random)
    {
        var lot = random.Next(100);
        foreach (var (kind, weight) in _weights)
        {
            lot -= weight;
            if (lot < 0)
            {
                return kind;
            }
        }

        return FaultKind.Kill;
    }
}
