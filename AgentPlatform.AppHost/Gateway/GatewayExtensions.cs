using AgentPlatform.AppHost.Startup;

namespace AgentPlatform.AppHost.Gateway;

internal static class GatewayExtensions
{
    /// <summary>
    /// Lets clients of other machines in. In a local run the gateway itself listens on all interfaces at the port of its launch profile, or
    /// at <see cref="GatewayOptions.Port"/>: the orchestrator's proxy would be one more hop for every token, with one process behind it.
    /// </summary>
    public static IResourceBuilder<ProjectResource> WithPublicPort(this IResourceBuilder<ProjectResource> gateway)
    {
        var builder = gateway.ApplicationBuilder;
        gateway.WithExternalHttpEndpoints();
        if (builder.ExecutionContext.IsPublishMode)
        {
            return gateway;
        }

        var options = builder.ReadOptions(GatewayOptions.Section, new GatewayOptionsValidator());

        return gateway.WithEndpoint("http", endpoint =>
        {
            endpoint.IsProxied = false;
            endpoint.Port = options.Port ?? endpoint.Port;
            endpoint.TargetPort = endpoint.Port;
        });
    }
}
