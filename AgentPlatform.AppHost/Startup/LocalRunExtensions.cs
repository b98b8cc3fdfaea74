namespace AgentPlatform.AppHost.Startup;

internal static class LocalRunExtensions
{
    /// <summary>
    /// In a local run: lets pages of this machine call the service, and refuses requests to names that are not this machine's, by which pages of others
    /// could call it (DNS rebinding). What is published has settings of its own.
    /// </summary>
    public static IResourceBuilder<ProjectResource> WithLocalCallers(this IResourceBuilder<ProjectResource> service)
    {
        if (service.ApplicationBuilder.ExecutionContext.IsPublishMode)
        {
            return service;
        }

        string[] names = ["localhost", "*.localhost", "host.docker.internal", "host.containers.internal", Environment.MachineName];
        for (var i = 0; i < names.Length; i++)
        {
            service.WithEnvironment($"Edge__AllowedHosts__{i}", names[i]);
        }

        return service.WithEnvironment("Edge__AllowLoopbackOrigins", "true");
    }
}
