using AgentPlatform.Worker.Configuration;

namespace AgentPlatform.Worker.Scaling;

/// <summary>Registers what the worker tells the cluster that scales it.</summary>
internal static class ScalingExtensions
{
    /// <summary>Writes the deletion cost of the worker's pod where <c>Kubernetes:DeletionCost</c> asks for it.</summary>
    public static void AddDeletionCost(this WebApplicationBuilder builder)
    {
        if (!builder.Configuration.GetValue<bool>($"{PodOptions.Section}:{nameof(PodOptions.DeletionCost)}"))
        {
            return;
        }

        builder.Services.AddValidated<PodOptions, PodOptionsValidator>(PodOptions.Section);
        builder.Services.AddOptions<PodOptions>().PostConfigure<IConfiguration>(static (pod, configuration) =>
            pod.Api ??= ApiOf(configuration));
        builder.Services.AddSingleton<PodApi>();
        builder.Services.AddHostedService<DeletionCost>();
    }

    // The variables that every container of a pod has; the host is an address, and one of IPv6 needs its brackets.
    private static Uri? ApiOf(IConfiguration configuration) =>
        configuration["KUBERNETES_SERVICE_HOST"] is { Length: > 0 } host
            && configuration.GetValue("KUBERNETES_SERVICE_PORT", 443) is var port
            ? new UriBuilder(Uri.UriSchemeHttps, host, port).Uri
            : null;
}
