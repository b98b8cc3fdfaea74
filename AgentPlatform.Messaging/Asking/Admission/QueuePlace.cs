namespace AgentPlatform.Messaging.Asking.Admission;

/// <summary>
/// One request's place in a queue, from the moment before it is published. A field of whatever holds the request, never a copy:
/// it counts as waiting until <see cref="Start"/> or <see cref="Leave"/>.
/// </summary>
/// <remarks>Safe for concurrent use; every call after the first of its kind does nothing.</remarks>
public struct QueuePlace
{
    private readonly QueueLoad? _load;

    internal QueuePlace(QueueLoad load, double entered, int bytes) =>
        (_load, Entered, Bytes, Stage) = (load, entered, bytes, PlaceStage.Waiting);

    internal double Entered { get; }

    internal int Bytes { get; }

    internal double Started { get; set; }

    internal PlaceStage Stage { get; set; }

    /// <summary>A worker began with it.</summary>
    public void Start() => _load?.Start(ref this);

    /// <summary>The answer is complete, which is what the pace of a pool is measured by.</summary>
    public void Complete() => _load?.Complete(ref this);

    /// <summary>It is over, for whatever reason; true if it was still waiting.</summary>
    public bool Leave() => _load?.Leave(ref this) == true;
}

/// <summary>How far a request has come.</summary>
public enum PlaceStage
{
    /// <summary>It has no place.</summary>
    None,

    /// <summary>It waits for a worker.</summary>
    Waiting,

    /// <summary>A worker has begun with it.</summary>
    Started,

    /// <summary>Nothing more happens to it.</summary>
    Over,
}
