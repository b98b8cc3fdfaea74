using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace AgentPlatform.Messaging.Broker;

/// <summary>How a process keeps its connection to the broker and what it gives it; configuration section <c>Messaging</c>.</summary>
public sealed class BrokerOptions
{
    /// <summary>Name of the configuration section.</summary>
    public const string Section = "Messaging";

    /// <summary>
    /// Largest request in bytes that is given to the broker, which closes the connection over a larger one than its
    /// <c>max_message_size</c>: 16 MiB since RabbitMQ 4.0, more before.
    /// </summary>
    [Range(1024, int.MaxValue)]
    public int MaxMessageSize { get; set; } = 16 * 1024 * 1024;

    /// <summary>
    /// How long the broker may confirm nothing before the connection counts as hung and is replaced; a second more for each MiB that is
    /// under way.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:05:00")]
    public TimeSpan ConfirmTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Longest pause between two attempts to reach the broker.</summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "00:01:00")]
    public TimeSpan MaxReconnectDelay { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>How long a gateway's reply queue outlives its consumer.</summary>
    [Range(typeof(TimeSpan), "00:00:10", "1.00:00:00")]
    public TimeSpan ReplyQueueExpiry { get; set; } = TimeSpan.FromMinutes(5);
}

[OptionsValidator]
internal sealed partial class BrokerOptionsValidator : IValidateOptions<BrokerOptions>;
