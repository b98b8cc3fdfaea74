using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace AgentPlatform.Messaging.RabbitMQ;

/// <summary>The bounds of queues, which become their arguments; configuration section <c>Messaging</c>.</summary>
internal sealed class QueueOptions
{
    /// <summary>Name of the configuration section.</summary>
    public const string Section = "Messaging";

    /// <summary>
    /// Most jobs that may wait for one model version; a publish beyond it is refused. An argument of the queue: one that exists keeps its
    /// own.
    /// </summary>
    [Range(1, 10_000_000)]
    public int MaxQueueLength { get; set; } = 10_000;

    /// <summary>
    /// Most bytes of jobs that may wait for one model version, as <see cref="MaxQueueLength"/>. More than gateways let in together, so that
    /// they refuse before the broker does.
    /// </summary>
    [Range(1024 * 1024, 1024L * 1024 * 1024 * 1024)]
    public long MaxQueueBytes { get; set; } = 256 * 1024 * 1024;

    /// <summary>
    /// Most jobs in <c>infer.dead</c>; beyond it, and beyond <see cref="MaxDeadBytes"/>, the oldest are dropped. An argument of that queue.
    /// </summary>
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
}

[OptionsValidator]
internal sealed partial class QueueOptionsValidator : IValidateOptions<QueueOptions>;
