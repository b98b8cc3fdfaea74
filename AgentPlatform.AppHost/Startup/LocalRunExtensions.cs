namespace AgentPlatform.AppHost.Startup;

internal static class LocalRunExtensions
{
    /// <summary>
    /// In a local run, allows web pages of this machine to call the service, and rejects requests to host names that are not this
    /// machine's, which protects it from DNS rebinding. Published services have settings of their own.
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
