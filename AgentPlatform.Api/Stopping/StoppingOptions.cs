using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace AgentPlatform.Api.Stopping;

/// <summary>How a process ends; configuration section <c>Stopping</c>.</summary>
public sealed class StoppingOptions : IValidatableObject
{
    /// <summary>Name of the configuration section.</summary>
    public const string Section = "Stopping";

    /// <summary>
    /// How long running requests may go on after the signal to stop. The grace period of a pod must be some seconds longer.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00", "01:00:00")]
    public TimeSpan DrainTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// How long of that new connections are still taken, though readiness is false already: whoever sends the requests, such as the Service
    /// of Kubernetes, hears of it only after some seconds, and until then a closed port would be an error.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00", "01:00:00")]
    public TimeSpan ListenTime { get; set; }

    /// <inheritdoc/>
    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (ListenTime > DrainTimeout)
        {
            yield return new ValidationResult($"{Section}:{nameof(ListenTime)} must not be longer than {Section}:{nameof(DrainTimeout)}.",
                [nameof(ListenTime)]);
        }
    }
}

[OptionsValidator]
internal sealed partial class StoppingOptionsValidator : IValidateOptions<StoppingOptions>;
