using System.Globalization;

namespace AgentPlatform.AppHost.Broker;

/// <summary>
/// What a RabbitMQ node of this machine may hold. Quorum queues keep what the log of their messages holds in memory too, 512 MB by default,
/// and more while one is written out: a laptop would rather have that for its models.
/// </summary>
/// <seealso href="https://www.rabbitmq.com/docs/quorum-queues"/>
internal static class LocalBrokerMemory
{
    /// <summary>Bytes of the log below which the server would do little but begin new ones.</summary>
    public const long LeastLog = 16 * 1024 * 1024;

    /// <summary>RabbitMQ's own default.</summary>
    public const long MostLog = 512 * 1024 * 1024;

    // Of the machine's memory; the rest is for workers and their models.
    private const int Share = 64;

    /// <summary>Settings for rabbitmq.conf.</summary>
    /// <param name="memory">Bytes of memory that the machine has.</param>
    public static string Configuration(long memory) => string.Create(
        CultureInfo.InvariantCulture,
        $"""
        vm_memory_high_watermark.relative = 0.4
        raft.wal_max_size_bytes = {Math.Clamp(memory / Share, LeastLog, MostLog)}
        disk_free_limit.absolute = 200MB

        """);
}
