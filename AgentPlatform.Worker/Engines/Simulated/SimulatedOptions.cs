using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace AgentPlatform.Worker.Engines.Simulated;

/// <summary>
/// The GPU that the simulated engine stands for; configuration section <c>Simulated</c>. With all times zero it is an engine that
/// costs nothing, for benchmarks of what surrounds it.
/// </summary>
internal sealed class SimulatedOptions
{
    /// <summary>Name of the configuration section.</summary>
    public const string Section = "Simulated";

    /// <summary>How long loading the model takes.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "01:00:00")]
    public TimeSpan LoadTime { get; set; } = TimeSpan.Zero;

    /// <summary>How long reading the prompt takes.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:10:00")]
    public TimeSpan TimeToFirstToken { get; set; } = TimeSpan.FromMilliseconds(150);

    /// <summary>How long a decode step takes while one stream runs.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:01:00")]
    public TimeSpan TimePerToken { get; set; } = TimeSpan.FromMilliseconds(20);

    /// <summary>By which part of <see cref="TimePerToken"/> each further stream lengthens a step.</summary>
    [Range(0d, 1d)]
    public double BatchSlope { get; set; } = 0.01;

    /// <summary>How many tokens an answer has unless <c>max_tokens</c> or <c>stop</c> end it earlier.</summary>
    [Range(1, 1_000_000)]
    public int AnswerTokens { get; set; } = 64;
}

[OptionsValidator]
internal sealed partial class SimulatedOptionsValidator : IValidateOptions<SimulatedOptions>;
