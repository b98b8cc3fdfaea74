using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace AgentPlatform.Api.Replay;

/// <summary>What is kept of responses that can be asked for again; configuration section <c>Api:Replay</c>.</summary>
internal sealed class ReplayOptions : IValidatableObject
{
    /// <summary>Name of the configuration section.</summary>
    public const string Section = "Api:Replay";

    /// <summary>How long the complete response to a request with an <c>Idempotency-Key</c> is kept.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "1.00:00:00")]
    public TimeSpan KeyWindow { get; set; } = TimeSpan.FromMinutes(10);

    /// <summary>How long a resumable stream goes on without a client, and how long it is kept once it is complete.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "1.00:00:00")]
    public TimeSpan ResumeWindow { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>Most bytes of one response that are kept.</summary>
    [Range(64 * 1024, 128 * 1024 * 1024)]
    public int MaxResponseSize { get; set; } = 4 * 1024 * 1024;

    /// <summary>Most bytes of all responses together, running ones included.</summary>
    [Range(64 * 1024L, 64L * 1024 * 1024 * 1024)]
    public long MaxTotalSize { get; set; } = 128 * 1024 * 1024;

    /// <summary>Most responses, running ones included.</summary>
    [Range(1, 10_000_000)]
    public int MaxResponses { get; set; } = 10_000;

    /// <inheritdoc/>
    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (MaxResponseSize > MaxTotalSize)
        {
            yield return new ValidationResult(
                $"{Section}:{nameof(MaxResponseSize)} must not be larger than {Section}:{nameof(MaxTotalSize)}.",
                [nameof(MaxResponseSize)]);
        }
    }
}

[OptionsValidator]
internal sealed partial class ReplayOptionsValidator : IValidateOptions<ReplayOptions>;
