using System.Globalization;

namespace AgentPlatform.AppHost.Broker;

/// <summary>
/// The memory of a RabbitMQ node on this machine. Quorum queues keep the content of their write-ahead log in memory, 512 MB by default
/// and more while a log is written to disk; on a laptop, models need that memory.
/// </summary>
/// <seealso href="https://www.rabbitmq.com/docs/quorum-queues"/>
internal static class LocalBrokerMemory
{
    /// <summary>Smallest useful size of the log in bytes; with a smaller one the server would mostly start new logs.</summary>
    public const long MinLogBytes = 16 * 1024 * 1024;

    /// <summary>Largest size of the log in bytes: RabbitMQ's default.</summary>
    public const long MaxLogBytes = 512 * 1024 * 1024;

    // The log gets 1/64 of the machine's memory; the rest is for workers and their models.
    private const int Share = 64;

    /// <summary>Returns the settings for rabbitmq.conf.</summary>
    /// <param name="memory">The machine's memory in bytes.</param>
    public static string Configuration(long memory) => string.Create(
        CultureInfo.InvariantCulture,
        $"""
        vm_memory_high_watermark.relative = 0.4
        raft.wal_max_size_bytes = {Math.Clamp(memory / Share, MinLogBytes, MaxLogBytes)}
        disk_free_limit.absolute = 200MB

        """);
}
