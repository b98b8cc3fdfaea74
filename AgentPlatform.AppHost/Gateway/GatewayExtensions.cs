using AgentPlatform.AppHost.Startup;

namespace AgentPlatform.AppHost.Gateway;

internal static class GatewayExtensions
{
    /// <summary>
    /// Makes the gateway reachable from other machines. In a local run it listens on all interfaces itself, at the port of its launch
    /// profile or at <see cref="GatewayOptions.Port"/>: the orchestrator's proxy would be one more hop for every token.
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
