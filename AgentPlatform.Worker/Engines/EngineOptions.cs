using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace AgentPlatform.Worker.Engines;

/// <summary>Which runtime computes the answers; configuration section <c>Engine</c>.</summary>
internal sealed class EngineOptions
{
    /// <summary>Name of the configuration section.</summary>
    public const string Section = "Engine";

    /// <summary>The engine's name, as <c>EngineTypes</c> lists them.</summary>
    [Required(ErrorMessage = "Engine:Type must name the engine of this worker.")]
    public string Type { get; set; } = "";

    /// <summary>How many requests run at once, from the broker and over HTTP together; the engine's own default if unset.</summary>
    [Range(1, 65_535)]
    public int? Slots { get; set; }

    /// <summary>
    /// How many requests over HTTP may wait for a slot; further ones are refused with 429. Jobs wait in the broker instead.
    /// </summary>
    [Range(0, 1_000_000)]
    public int MaxWaiting { get; set; } = 256;

    /// <summary>
    /// How many requests of each lane, long ones and short ones, are read, rendered
    /// and made into tokens at a time; a quarter of the processors if unset.
    /// </summary>
    [Range(1, 256)]
    public int? PreparationThreads { get; set; }
}

[OptionsValidator]
internal sealed partial class EngineOptionsValidator : IValidateOptions<EngineOptions>;
