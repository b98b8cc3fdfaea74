using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace AgentPlatform.Messaging.Broker;

/// <summary>How gateway and workers use the broker; configuration section <c>Messaging</c>.</summary>
public sealed class MessagingOptions
{
    /// <summary>Name of the configuration section.</summary>
    public const string Section = "Messaging";

    /// <summary>Most jobs that may wait for one model version; a publish beyond it is refused. An argument of the queue: one that exists keeps its own.</summary>
    [Range(1, 10_000_000)]
    public int MaxQueueLength { get; set; } = 10_000;

    /// <summary>Most bytes of jobs that may wait for one model version, as <see cref="MaxQueueLength"/>. More than gateways let in together, so that they refuse before the broker does.</summary>
    [Range(1024 * 1024, 1024L * 1024 * 1024 * 1024)]
    public long MaxQueueBytes { get; set; } = 256 * 1024 * 1024;

    /// <summary>Most jobs in <c>infer.dead</c>; beyond it, and beyond <see cref="MaxDeadBytes"/>, the oldest are dropped. An argument of that queue.</summary>
    [Range(1, 10_000_000)]
    public int MaxDeadJobs { get; set; } = 10_000;

    /// <summary>Most bytes in <c>infer.dead</c>.</summary>
    [Range(1024 * 1024, 1024L * 1024 * 1024 * 1024)]
    public long MaxDeadBytes { get; set; } = 256 * 1024 * 1024;

    /// <summary>How long a job stays in <c>infer.dead</c>: it holds what a client wrote.</summary>
    [Range(typeof(TimeSpan), "00:01:00", "45.00:00:00")]
    public TimeSpan DeadRetention { get; set; } = TimeSpan.FromDays(30);

    /// <summary>
    /// Whether the broker has a policy by which job queues dead-letter, as the chart's own has, so that they are declared without: who
    /// declares a queue with a dead-letter exchange must be allowed to read it.
    /// </summary>
    public bool DeadLettersByPolicy { get; set; }

    /// <summary>Largest request in bytes that is given to the broker, which closes the connection over a larger one than its <c>max_message_size</c>: 16 MiB since RabbitMQ 4.0, more before.</summary>
    [Range(1024, int.MaxValue)]
    public int MaxMessageSize { get; set; } = 16 * 1024 * 1024;

    /// <summary>How often in a row a job may be lost with its worker without a new part of its answer, before it is given up and put into <c>infer.dead</c>.</summary>
    [Range(1, 100)]
    public int DeliveryLimit { get; set; } = 5;

    /// <summary>How long the broker may confirm nothing before the connection counts as hung and is replaced; a second more for each MiB that is under way.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:05:00")]
    public TimeSpan ConfirmTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>How long a worker may be silent before the gateway takes it for lost and gives its requests to another one. At least three times <see cref="HeartbeatInterval"/>.</summary>
    [Range(typeof(TimeSpan), "00:00:00.3", "00:01:00")]
    public TimeSpan LeaseTimeout { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>How often a worker says that it works on a request while it has nothing to send of it.</summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "00:00:20")]
    public TimeSpan HeartbeatInterval { get; set; } = TimeSpan.FromMilliseconds(300);

    /// <summary>Longest pause between two attempts to reach the broker.</summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "00:01:00")]
    public TimeSpan MaxReconnectDelay { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>How long a gateway's reply queue outlives its consumer.</summary>
    [Range(typeof(TimeSpan), "00:00:10", "1.00:00:00")]
    public TimeSpan ReplyQueueExpiry { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>
    /// How long a gateway may be away from the broker before workers take it for gone and drop what it asked for. At least twice <see cref="MaxReconnectDelay"/>.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:10:00")]
    public TimeSpan GatewayTimeout { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>How long a frame may wait for frames of other streams to share its message.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:00:01")]
    public TimeSpan CoalesceWindow { get; set; } = TimeSpan.FromMilliseconds(2);

    /// <summary>How many parts of one answer may wait in the gateway for a slow client before its request fails.</summary>
    [Range(16, 1_000_000)]
    public int ReplyCapacity { get; set; } = 1024;
}

[OptionsValidator]
internal sealed partial class MessagingOptionsValidator : IValidateOptions<MessagingOptions>;

internal sealed class LeaseValidator : IValidateOptions<MessagingOptions>
{
    public ValidateOptionsResult Validate(string? name, MessagingOptions options)
    {
        List<string> mistakes = [];
        if (options.LeaseTimeout < 3 * options.HeartbeatInterval)
        {
            mistakes.Add($"Messaging:LeaseTimeout is {options.LeaseTimeout}; it must be at least three times Messaging:HeartbeatInterval, which is {options.HeartbeatInterval}.");
        }

        if (options.GatewayTimeout < 2 * options.MaxReconnectDelay)
        {
            mistakes.Add($"Messaging:GatewayTimeout is {options.GatewayTimeout}; it must be at least twice Messaging:MaxReconnectDelay, which is {options.MaxReconnectDelay}.");
        }

        return mistakes.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(mistakes);
    }
}
