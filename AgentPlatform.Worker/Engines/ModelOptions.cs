using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace AgentPlatform.Worker.Engines;

/// <summary>The model that this worker serves; configuration section <c>Model</c>.</summary>
internal sealed class ModelOptions
{
    /// <summary>Name of the configuration section.</summary>
    public const string Section = "Model";

    /// <summary>Name under which the platform knows it; part of its queue's name.</summary>
    [Required(ErrorMessage = "Model:Name must name the model that this worker serves.")]
    [RegularExpression(
        "[A-Za-z0-9][A-Za-z0-9._-]{0,99}", ErrorMessage = "Model:Name must be up to 100 letters, digits, dots, dashes and underscores.")]
    public string Name { get; set; } = "";

    /// <summary>Version of the model; part of the queue's name.</summary>
    [Required(ErrorMessage = "Model:Version must not be empty.")]
    [RegularExpression(
        "[A-Za-z0-9][A-Za-z0-9_-]{0,49}", ErrorMessage = "Model:Version must be up to 50 letters, digits, dashes and underscores.")]
    public string Version { get; set; } = "1";
}

[OptionsValidator]
internal sealed partial class ModelOptionsValidator : IValidateOptions<ModelOptions>;
