using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace AgentPlatform.AppHost.Kubernetes.Chart;

/// <summary>
/// What is decided when the chart is published, apart from the pools; configuration section <c>Kubernetes</c>. What is decided when it is
/// installed is in values.yaml.
/// </summary>
internal sealed class KubernetesOptions
{
    /// <summary>Name of the configuration section.</summary>
    public const string Section = "Kubernetes";

    /// <summary>Name of the chart.</summary>
    [RegularExpression(
        "[a-z]([a-z0-9-]{0,38}[a-z0-9])?",
        ErrorMessage = "Kubernetes:ChartName must be up to 40 lower-case letters, digits and hyphens, and begin with a letter.")]
    public string ChartName { get; set; } = "agentplatform";

    /// <summary>How long a gateway that is being replaced may take to finish its streams, once it receives no new requests.</summary>
    [Range(typeof(TimeSpan), "00:00:10", "01:00:00")]
    public TimeSpan GatewayDrainTimeout { get; set; } = TimeSpan.FromMinutes(5);
}

[OptionsValidator]
internal sealed partial class KubernetesOptionsValidator : IValidateOptions<KubernetesOptions>;
