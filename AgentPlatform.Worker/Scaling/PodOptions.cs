using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace AgentPlatform.Worker.Scaling;

/// <summary>The pod that the worker is, if it runs in Kubernetes; configuration section <c>Kubernetes</c>, which the chart sets.</summary>
internal sealed class PodOptions : IValidatableObject
{
    /// <summary>Name of the configuration section.</summary>
    public const string Section = "Kubernetes";

    /// <summary>Whether the worker writes on its pod what its end would cost, so that fewer replicas take idle ones away.</summary>
    public bool DeletionCost { get; set; }

    /// <summary>Name of the pod.</summary>
    public string? PodName { get; set; }

    /// <summary>
    /// Address of the cluster's API. In a pod the cluster's own variables,
    /// <c>KUBERNETES_SERVICE_HOST</c> and <c>KUBERNETES_SERVICE_PORT</c>, give it.
    /// </summary>
    public Uri? Api { get; set; }

    /// <summary>Folder with the pod's token, its namespace and the certificate of the API's authority, as the cluster mounts it.</summary>
    [Required]
    public string Credentials { get; set; } = "/var/run/secrets/kubernetes.io/serviceaccount";

    /// <inheritdoc/>
    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (DeletionCost && string.IsNullOrEmpty(PodName))
        {
            yield return new ValidationResult(
                $"{Section}:{nameof(PodName)} must be the name of the worker's pod where {Section}:{nameof(DeletionCost)} is true.",
                [nameof(PodName)]);
        }

        if (DeletionCost && Api?.Scheme != Uri.UriSchemeHttps)
        {
            yield return new ValidationResult(
                $"{Section}:{nameof(Api)} must be the https address of the cluster's API where {Section}:{nameof(DeletionCost)} is true "
                + "and no KUBERNETES_SERVICE_HOST gives it.",
                [nameof(Api)]);
        }
    }
}

[OptionsValidator]
internal sealed partial class PodOptionsValidator : IValidateOptions<PodOptions>;
