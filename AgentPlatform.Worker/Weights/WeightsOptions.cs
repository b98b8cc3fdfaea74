using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace AgentPlatform.Worker.Weights;

/// <summary>Where the files of the model are; a part of the configuration section <c>Model</c>.</summary>
internal sealed class WeightsOptions : IValidatableObject
{
    /// <summary>Name of the configuration section.</summary>
    public const string Section = "Model";

    /// <summary>
    /// A folder, for engines that read files, relative to the content root, or a mounted volume; or the http(s) address of
    /// the list that <c>sha256sum * &gt; SHA256SUMS</c> wrote beside them, whose files are fetched once into <see cref="Cache"/>.
    /// </summary>
    public string? Source { get; set; }

    /// <summary>SHA-256 of the list that an address names, 64 hexadecimal digits.</summary>
    [RegularExpression(
        "[0-9A-Fa-f]{64}", ErrorMessage = "Model:Sha256 must be the 64 hexadecimal digits that 'sha256sum SHA256SUMS' prints.")]
    public string? Sha256 { get; set; }

    /// <summary>Bearer token for the address, if its server asks for one.</summary>
    public string? Token { get; set; }

    /// <summary>
    /// Folder for fetched models, best on a volume that outlives the process; the user's local application data if unset.
    /// </summary>
    public string? Cache { get; set; }

    /// <summary>
    /// Most bytes of a model that is fetched, all its files together: a list of checksums does not say how long they are.
    /// </summary>
    [Range(1, long.MaxValue, ErrorMessage = "Model:MaxSize must be a number of bytes, at least 1.")]
    public long MaxSize { get; set; } = 256L << 30;

    /// <summary>Whether <see cref="Source"/> is an address.</summary>
    public bool IsAddress => Source is not null && (Source.StartsWith("http://", StringComparison.OrdinalIgnoreCase)
        || Source.StartsWith("https://", StringComparison.OrdinalIgnoreCase));

    /// <inheritdoc/>
    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (IsAddress && !Uri.IsWellFormedUriString(Source, UriKind.Absolute))
        {
            yield return new ValidationResult($"Model:Source is '{Source}', which is not a valid address.");
        }

        if (IsAddress && !string.IsNullOrEmpty(Token) && Uri.TryCreate(Source, UriKind.Absolute, out var address)
            && address is { Scheme: "http", IsLoopback: false })
        {
            yield return new ValidationResult(
                $"Model:Token must not go to {address.Host} over plain http, where everybody on the way can read it: "
                + "give Model:Source an https address, or unset Model:Token.");
        }

        if (IsAddress && string.IsNullOrEmpty(Sha256))
        {
            yield return new ValidationResult(
                "Model:Sha256 must be set where Model:Source is an address: the 64 hexadecimal digits that 'sha256sum SHA256SUMS' prints.");
        }
    }
}

[OptionsValidator]
internal sealed partial class WeightsOptionsValidator : IValidateOptions<WeightsOptions>;
