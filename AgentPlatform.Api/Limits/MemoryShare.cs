namespace AgentPlatform.Api.Limits;

/// <summary>
/// What bodies may take of the memory that this process may use: that of its container, of which .NET takes three quarters, or of the
/// machine. A body is more than its bytes while it is worked on: its copy on the way to the broker, its JSON, its prompt.
/// </summary>
public static class MemoryShare
{
    private const long Least = 16 * 1024 * 1024;
    private const long Most = 256 * 1024 * 1024;

    /// <summary>Bytes that this process may use.</summary>
    public static long Available => GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;

    /// <summary>Bytes of bodies that may be held for HTTP requests in progress: an eighth, from 16 to 256 MiB.</summary>
    public static long OfBodies(long available) => Math.Clamp(available / 8, Least, Most);

    /// <summary>
    /// How many jobs of the broker may be held at a time, of <paramref name="wanted"/>, so that the largest take at most a quarter.
    /// </summary>
    public static int OfJobs(long available, int wanted, int largest) => (int)Math.Clamp(available / 4 / largest, 1, wanted);
}
