using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace AgentPlatform.Inference.Batching;

/// <summary>How requests are gathered into batches; configuration section <c>Batching</c> of a worker.</summary>
public sealed class BatchingOptions
{
    /// <summary>Name of the configuration section.</summary>
    public const string Section = "Batching";

    /// <summary>Most requests of one batch.</summary>
    [Range(1, 4096)]
    public int MaxBatchSize { get; set; } = 32;

    /// <summary>
    /// How long the first request of a batch may wait for others although it could be computed. Zero, the default, is right where a
    /// batch of one costs what it takes: a lone request is computed at once, and under load a batch gathers by itself while the one
    /// before is computed. A longer delay trades latency for fewer and larger batches.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:00:10")]
    public TimeSpan MaxDelay { get; set; } = TimeSpan.Zero;
}

/// <summary>Validates <see cref="BatchingOptions"/>.</summary>
[OptionsValidator]
public sealed partial class BatchingOptionsValidator : IValidateOptions<BatchingOptions>;
