using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace AgentPlatform.AppHost.Broker;

/// <summary>Which RabbitMQ a local run uses; configuration section <c>Broker</c>.</summary>
internal sealed class BrokerOptions
{
    /// <summary>Name of the configuration section.</summary>
    public const string Section = "Broker";

    /// <summary>
    /// <c>external</c>: the configured connection string; <c>container</c>: a container; <c>local</c>: the machine's rabbitmq-server as a
    /// process of this run; <c>auto</c>: the first of these that is available.
    /// </summary>
    [Required(ErrorMessage = "Broker:Mode must be auto, external, container or local.")]
    [RegularExpression("(?i)auto|external|container|local", ErrorMessage = "Broker:Mode must be auto, external, container or local.")]
    public string Mode { get; set; } = "auto";

    /// <summary>
    /// Whether a container keeps running after the run, with its queues (<c>Persistent</c>), or stops with it (<c>Session</c>).
    /// </summary>
    public ContainerLifetime Lifetime { get; set; } = ContainerLifetime.Session;

    /// <summary>
    /// Folder for the local broker's files, relative to the application host's project. Each run empties it, so concurrent runs need
    /// different folders.
    /// </summary>
    [Required(ErrorMessage = "Broker:DataFolder must name a folder.")]
    public string DataFolder { get; set; } = "../.run/messaging";

    /// <summary>Whether <see cref="Mode"/> is <paramref name="mode"/>, ignoring case.</summary>
    public bool Is(string mode) => string.Equals(Mode, mode, StringComparison.OrdinalIgnoreCase);
}

[OptionsValidator]
internal sealed partial class BrokerOptionsValidator : IValidateOptions<BrokerOptions>;
