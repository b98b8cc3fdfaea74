using System.Globalization;
using Aspire.Hosting.Kubernetes.Resources;

namespace AgentPlatform.AppHost.Kubernetes.Workloads;

/// <summary>The GPUs of a container.</summary>
internal static class GpuResources
{
    /// <summary>Requests the GPUs that a pool's options ask for; for GPUs, requests and limits are equal.</summary>
    public static void Request(ContainerV1 container, PoolOptions options)
    {
        var number = options.Gpus.ToString(CultureInfo.InvariantCulture);
        container.Resources!.Requests[options.GpuResource] = number;
        container.Resources.Limits[options.GpuResource] = number;
    }
}
