using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace AgentPlatform.Worker.Batching;

/// <summary>How an engine that computes many requests at once gathers them; configuration section <c>Batching</c>.</summary>
internal sealed class BatchingOptions
{
    /// <summary>Name of the configuration section.</summary>
    public const string Section = "Batching";

    /// <summary>Most requests that the engine computes at once.</summary>
    [Range(1, 4096)]
    public int MaxBatchSize { get; set; } = 32;

    /// <summary>
    /// How long the first request of a batch may wait for others although the engine is free. Zero, the default, is right where a
    /// batch of one costs what it takes: a lone request is computed at once, and under load a batch gathers by itself while
    /// the engine computes the one before. A longer delay trades latency for fewer and larger batches.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:00:10")]
    public TimeSpan MaxDelay { get; set; } = TimeSpan.Zero;
}

[OptionsValidator]
internal sealed partial class BatchingOptionsValidator : IValidateOptions<BatchingOptions>;
