namespace AgentPlatform.AppHost.Kubernetes.Workloads;

/// <summary>Times for the steps in which a pod stops.</summary>
internal static class StopTimes
{
    /// <summary>The pause before a worker is told to stop, in which all senders learn that its pod is stopping.</summary>
    public static TimeSpan PreStop { get; } = TimeSpan.FromSeconds(5);

    /// <summary>Time after the drain for acknowledgements, telemetry and the exit of the process.</summary>
    public static TimeSpan Margin { get; } = TimeSpan.FromSeconds(15);

    /// <summary>The grace period of a worker's pod: the one that <paramref name="options"/> set, or the sum of the steps.</summary>
    public static TimeSpan GracePeriod(PoolOptions options) => options.GracePeriod ?? PreStop + options.DrainTimeout + Margin;
}
