using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace AgentPlatform.Worker.Stopping;

/// <summary>How a worker ends; configuration section <c>Stopping</c>.</summary>
internal sealed class StoppingOptions
{
    /// <summary>Name of the configuration section.</summary>
    public const string Section = "Stopping";

    /// <summary>How long running requests may go on after the signal to stop. The grace period of a pod must be some seconds longer.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "01:00:00")]
    public TimeSpan DrainTimeout { get; set; } = TimeSpan.FromSeconds(10);
}

[OptionsValidator]
internal sealed partial class StoppingOptionsValidator : IValidateOptions<StoppingOptions>;
