using AgentPlatform.AppHost.Kubernetes.Chart;
using Aspire.Hosting.Kubernetes.Resources;

namespace AgentPlatform.AppHost.Kubernetes.Workloads;

/// <summary>Volumes for the files of a model.</summary>
internal static class WeightsVolume
{
    /// <summary>The volume with the model, from the source that the options name.</summary>
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
            Image = new()
            {
                Reference = chart.Values.Text($"{section}.weightsImage", options.WeightsImage!, "Image with the files of the model."),
            },
        },
        _ => Cache(name, chart, section, options),
    };

    /// <summary>
    /// A writable volume for a model that is downloaded: a claim that all replicas share, or an empty folder for each replica.
    /// </summary>
    public static VolumeV1 Cache(string name, KubernetesChart chart, string section, PoolOptions options) =>
        options is { WeightsClaim: { Length: > 0 }, Weights: not WeightsSource.Claim }
            ? new() { Name = name, PersistentVolumeClaim = new() { ClaimName = Claim(chart, section, options) } }
            : new() { Name = name, EmptyDir = new() { SizeLimit = Size(chart, section, options) } };

    private static string Claim(KubernetesChart chart, string section, PoolOptions options) =>
        chart.Values.Text(
            $"{section}.weightsClaim", options.WeightsClaim!, "An existing PersistentVolumeClaim for the files of the model.");

    private static string Size(KubernetesChart chart, string section, PoolOptions options) =>
        chart.Values.Text($"{section}.weightsSize", options.WeightsSize, "Room on the node for the model that a replica fetches.");
}
