using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace AgentPlatform.Messaging.Asking;

/// <summary>How a gateway waits for answers; configuration section <c>Messaging</c>.</summary>
public sealed class AskingOptions
{
    /// <summary>Name of the configuration section.</summary>
    public const string Section = "Messaging";

    /// <summary>
    /// How often in a row a job may be lost with its worker without a new part of its answer, before it is given up and put into
    /// <c>infer.dead</c>.
    /// </summary>
    [Range(1, 100)]
    public int DeliveryLimit { get; set; } = 5;

    /// <summary>
    /// How long a worker may be silent before the gateway takes it for lost and gives its requests to another one. At least three times
    /// <see cref="Answering.AnsweringOptions.HeartbeatInterval"/>.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00.3", "00:01:00")]
    public TimeSpan LeaseTimeout { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>How many parts of one answer may wait in the gateway for a slow client before its request fails.</summary>
    [Range(16, 1_000_000)]
    public int ReplyCapacity { get; set; } = 1024;
}

[OptionsValidator]
internal sealed partial class AskingOptionsValidator : IValidateOptions<AskingOptions>;
