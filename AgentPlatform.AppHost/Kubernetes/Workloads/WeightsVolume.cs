using AgentPlatform.AppHost.Kubernetes.Chart;
using Aspire.Hosting.Kubernetes.Resources;

namespace AgentPlatform.AppHost.Kubernetes.Workloads;

/// <summary>Volumes with the files of a model.</summary>
internal static class WeightsVolume
{
    /// <summary>The volume that the options name.</summary>
    public static VolumeV1 Of(string name, KubernetesChart chart, string section, PoolOptions options) => options.Weights switch
    {
        WeightsSource.Claim => new()
        {
            Name = name,
            PersistentVolumeClaim = new() { ClaimName = Claim(chart, section, options), ReadOnly = true },
        },
        WeightsSource.OciImage => new()
        {
            Name = name,
            Image = new() { Reference = chart.Values.Text($"{section}.weightsImage", options.WeightsImage!, "Image with the files of the model.") },
        },
        _ => Cache(name, chart, section, options),
    };

    /// <summary>Room for what is fetched: a claim that all replicas share, or for each its own that goes with it.</summary>
    public static VolumeV1 Cache(string name, KubernetesChart chart, string section, PoolOptions options) => options is { WeightsClaim: { Length: > 0 }, Weights: not WeightsSource.Claim }
        ? new() { Name = name, PersistentVolumeClaim = new() { ClaimName = Claim(chart, section, options) } }
        : new() { Name = name, EmptyDir = new() { SizeLimit = chart.Values.Text($"{section}.weightsSize", options.WeightsSize, "Room on the node for the model that a replica fetches.") } };

    private static string Claim(KubernetesChart chart, string section, PoolOptions options) =>
        chart.Values.Text($"{section}.weightsClaim", options.WeightsClaim!, "An existing PersistentVolumeClaim for the files of the model.");
}
