using System.Globalization;
using Aspire.Hosting.Kubernetes.Resources;

namespace AgentPlatform.AppHost.Kubernetes.Workloads;

/// <summary>GPUs of a container.</summary>
internal static class Gpus
{
    /// <summary>Requests them, which is also the limit.</summary>
    public static void Take(ContainerV1 container, PoolOptions options)
    {
        var number = options.Gpus.ToString(CultureInfo.InvariantCulture);
        container.Resources!.Requests[options.GpuResource] = number;
        container.Resources.Limits[options.GpuResource] = number;
    }
}
