using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace AgentPlatform.AppHost.Models;

/// <summary>What a local run changes about a pool; configuration section <c>Pools:NAME</c>.</summary>
internal sealed class PoolOptions
{
    /// <summary>Name of the configuration section, above the pools' names.</summary>
    public const string Section = "Pools";

    /// <summary>
    /// Address of a running server that answers instead of the pool's own model or container: an OpenAI-compatible one with the version, such as
    /// <c>http://localhost:8081/v1</c>, or a Triton. Its key, if it asks for one, is the parameter <c>NAME-api-key</c>.
    /// </summary>
    [RegularExpression("https?://.+", ErrorMessage = "must be the base address of a running server, such as http://localhost:8000/v1.")]
    public string? Server { get; set; }

    /// <summary>The model's name at that server; the pool's name if unset.</summary>
    public string? UpstreamModel { get; set; }
}

[OptionsValidator]
internal sealed partial class PoolOptionsValidator : IValidateOptions<PoolOptions>;
