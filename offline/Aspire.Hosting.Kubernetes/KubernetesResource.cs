using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Kubernetes.Resources;

namespace Aspire.Hosting.Kubernetes;

/// <summary>The Kubernetes objects of one resource of the application; null leaves one out.</summary>
public sealed class KubernetesResource : Resource
{
    internal KubernetesResource(string name, IReadOnlyDictionary<string, string> labels) : base(name) => Labels = labels;

    /// <summary>What runs the pods.</summary>
    public Workload? Workload { get; set; }

    /// <summary>Environment variables.</summary>
    public ConfigMap? ConfigMap { get; set; }

    /// <summary>Environment variables that are secret.</summary>
    public Secret? Secret { get; set; }

    /// <summary>What other pods reach it by.</summary>
    public Service? Service { get; set; }

    /// <summary>More objects, which get the labels of the others.</summary>
    public List<BaseKubernetesResource> AdditionalResources { get; } = [];

    internal IReadOnlyDictionary<string, string> Labels { get; }

    internal IEnumerable<BaseKubernetesResource> All()
    {
        foreach (var additional in AdditionalResources)
        {
            foreach (var (key, value) in Labels)
            {
                additional.Metadata.Labels.TryAdd(key, value);
            }
        }

        return new BaseKubernetesResource?[] { Workload, ConfigMap, Secret, Service }.OfType<BaseKubernetesResource>()
            .Concat(AdditionalResources);
    }
}
