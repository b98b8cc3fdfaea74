using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace AgentPlatform.Worker.Engines;

/// <summary>The model that this worker serves; configuration section <c>Model</c>.</summary>
internal sealed class ModelOptions : IValidatableObject
{
    /// <summary>Name of the configuration section.</summary>
    public const string Section = "Model";

    /// <summary>Name under which the platform knows it; part of its queue's name.</summary>
    [Required(ErrorMessage = "Model:Name must name the model that this worker serves.")]
    [RegularExpression("[A-Za-z0-9][A-Za-z0-9._-]{0,99}", ErrorMessage = "Model:Name must be up to 100 letters, digits, dots, dashes and underscores.")]
    public string Name { get; set; } = "";

    /// <summary>Its version; part of its queue's name.</summary>
    [Required(ErrorMessage = "Model:Version must not be empty.")]
    [RegularExpression("[A-Za-z0-9][A-Za-z0-9_-]{0,49}", ErrorMessage = "Model:Version must be up to 50 letters, digits, dashes and underscores.")]
    public string Version { get; set; } = "1";

    /// <summary>
    /// Where the files are, for engines that read any: a folder, relative to the content root, or a mounted volume; or the http(s) address of
    /// the list that <c>sha256sum * &gt; SHA256SUMS</c> wrote beside them, whose files are fetched once into <see cref="Cache"/>.
    /// </summary>
    public string? Source { get; set; }

    /// <summary>SHA-256 of the list that an address names, 64 hexadecimal digits.</summary>
    [RegularExpression("[0-9A-Fa-f]{64}", ErrorMessage = "Model:Sha256 must be the 64 hexadecimal digits that 'sha256sum SHA256SUMS' prints.")]
    public string? Sha256 { get; set; }

    /// <summary>Bearer token for the address, if its server asks for one.</summary>
    public string? Token { get; set; }

    /// <summary>Folder for fetched models, best on a volume that outlives the process; the user's local application data if unset.</summary>
    public string? Cache { get; set; }

    /// <summary>Most bytes of a model that is fetched, all its files together: a list of checksums does not say how long they are.</summary>
    [Range(1, long.MaxValue, ErrorMessage = "Model:MaxSize must be a number of bytes, at least 1.")]
    public long MaxSize { get; set; } = 256L << 30;

    /// <summary>Whether <see cref="Source"/> is an address.</summary>
    public bool IsAddress => Source is not null && (Source.StartsWith("http://", StringComparison.OrdinalIgnoreCase) || Source.StartsWith("https://", StringComparison.OrdinalIgnoreCase));

    /// <inheritdoc/>
    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (IsAddress && !Uri.IsWellFormedUriString(Source, UriKind.Absolute))
        {
            yield return new ValidationResult($"Model:Source is '{Source}', which is no valid address.");
        }

        if (IsAddress && !string.IsNullOrEmpty(Token) && Uri.TryCreate(Source, UriKind.Absolute, out var address) && address is { Scheme: "http", IsLoopback: false })
        {
            yield return new ValidationResult($"Model:Token must not go to {address.Host} over plain http, where everybody on the way can read it: give Model:Source an https address, or unset Model:Token.");
        }

        if (IsAddress && string.IsNullOrEmpty(Sha256))
        {
            yield return new ValidationResult("Model:Sha256 must be set where Model:Source is an address: the 64 hexadecimal digits that 'sha256sum SHA256SUMS' prints.");
        }
    }
}

[OptionsValidator]
internal sealed partial class ModelOptionsValidator : IValidateOptions<ModelOptions>;
