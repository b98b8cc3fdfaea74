namespace AgentPlatform.Worker.Scaling;

/// <summary>
/// When a new cost is worth a call. A change between idle and busy is told soon, since it decides which pod goes; how busy a worker
/// is, seldom; after a failure there is a pause. So a pool of many workers with short requests puts no load on the cluster's API.
/// </summary>
/// <remarks>Not safe for concurrent use.</remarks>
internal sealed class DeletionCostPace(TimeProvider time)
{
    private static readonly TimeSpan _betweenIdleAndBusy = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan _betweenBusy = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan _afterFailure = TimeSpan.FromSeconds(30);

    // Unknown at first: the container may have been started anew in a pod that has a cost.
    private int? _written;
    private long? _called;

    /// <summary>Whether the last call failed.</summary>
    public bool HasFailed { get; private set; }

    /// <summary>Whether <paramref name="cost"/> is to be written now.</summary>
    public bool IsDue(int cost)
    {
        if (cost == _written)
        {
            return false;
        }

        var pause = HasFailed ? _afterFailure : cost == 0 || _written == 0 ? _betweenIdleAndBusy : _betweenBusy;
        return _called is not { } called || time.GetElapsedTime(called) >= pause;
    }

    /// <summary>A call that wrote <paramref name="cost"/> was made.</summary>
    public void Written(int cost) => (_written, _called, HasFailed) = (cost, time.GetTimestamp(), false);

    /// <summary>A call was made and failed; what stands there is not known.</summary>
    public void Failed() => (_written, _called, HasFailed) = (null, time.GetTimestamp(), true);
}
