using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace AgentPlatform.AppHost.Gateway;

/// <summary>Settings of the gateway in a local run; configuration section <c>Gateway</c>.</summary>
internal sealed class GatewayOptions
{
    /// <summary>Name of the configuration section.</summary>
    public const string Section = "Gateway";

    /// <summary>Port that the gateway listens on; if unset, the one of its launch profile.</summary>
    [Range(1, 65_535)]
    public int? Port { get; set; }
}

[OptionsValidator]
internal sealed partial class GatewayOptionsValidator : IValidateOptions<GatewayOptions>;
