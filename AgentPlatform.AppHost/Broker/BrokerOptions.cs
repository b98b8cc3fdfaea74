using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace AgentPlatform.AppHost.Broker;

/// <summary>Which RabbitMQ a local run uses; configuration section <c>Broker</c>.</summary>
internal sealed class BrokerOptions
{
    /// <summary>Name of the configuration section.</summary>
    public const string Section = "Broker";

    /// <summary>
    /// <c>external</c>: the connection string of the configuration; <c>container</c>: a container; <c>local</c>: the machine's
    /// rabbitmq-server as a process of this run; <c>auto</c>: the first of these that there is.
    /// </summary>
    [Required(ErrorMessage = "Broker:Mode must be auto, external, container or local.")]
    [RegularExpression("(?i)auto|external|container|local", ErrorMessage = "Broker:Mode must be auto, external, container or local.")]
    public string Mode { get; set; } = "auto";

    /// <summary>
    /// Whether a container outlives the run, so that the next one finds it started and with its queues (<c>Persistent</c>), or ends with it
    /// (<c>Session</c>).
    /// </summary>
    public ContainerLifetime Lifetime { get; set; } = ContainerLifetime.Session;

    /// <summary>Folder of the local broker's files, relative to the application host's; empty at the start of each run. Two runs at a time need two.</summary>
    [Required(ErrorMessage = "Broker:DataFolder must name a folder.")]
    public string DataFolder { get; set; } = "../.run/messaging";

    /// <summary>Whether <paramref name="mode"/> is the one to use.</summary>
    public bool Is(string mode) => string.Equals(Mode, mode, StringComparison.OrdinalIgnoreCase);
}

[OptionsValidator]
internal sealed partial class BrokerOptionsValidator : IValidateOptions<BrokerOptions>;
