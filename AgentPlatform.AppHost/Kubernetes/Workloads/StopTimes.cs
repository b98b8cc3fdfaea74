namespace AgentPlatform.AppHost.Kubernetes.Workloads;

/// <summary>How long the steps of a pod's end take.</summary>
internal static class StopTimes
{
    /// <summary>How long a worker still takes requests after its pod was told to stop, until everything that sends to it knows.</summary>
    public static TimeSpan PreStop { get; } = TimeSpan.FromSeconds(5);

    /// <summary>Time after the drain for acknowledgements, telemetry and the exit of the process.</summary>
    public static TimeSpan Margin { get; } = TimeSpan.FromSeconds(15);

    /// <summary>The grace period of a worker's pod: what <paramref name="options"/> set, or the sum of its steps.</summary>
    public static TimeSpan GracePeriod(PoolOptions options) => options.GracePeriod ?? PreStop + options.DrainTimeout + Margin;
}
