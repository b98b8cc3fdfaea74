using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;

namespace AgentPlatform.AppHost.Startup;

/// <summary>
/// Prints one line when every process of every resource runs and is healthy for the first time. A process that ends before that ends
/// the platform with exit code 1: nobody waits for a ready line that cannot come.
/// </summary>
internal sealed class ReadyLine(
    IResource gateway, DistributedApplicationModel model, ResourceNotificationService notifications, IConfiguration configuration, IHostApplicationLifetime lifetime)
    : BackgroundService
{
    /// <summary>How the line begins; scripts look for it.</summary>
    public const string Beginning = "AgentPlatform is ready";

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // Parameters and connection strings have no process.
        var missing = model.Resources.OfType<IResourceWithWaitSupport>().ToDictionary(resource => resource.Name, resource => resource.GetReplicaCount());
        var healthy = new HashSet<string>(StringComparer.Ordinal);
        await foreach (var change in notifications.WatchAsync(stoppingToken))
        {
            var name = change.Resource.Name;
            if (!missing.ContainsKey(name))
            {
                continue;
            }

            if (HasEnded(change.Snapshot.State?.Text))
            {
                await EndAsync(change);
                return;
            }

            if (change.Snapshot.HealthStatus == HealthStatus.Healthy && healthy.Add(change.ResourceId) && --missing[name] == 0 && missing.Values.All(count => count == 0))
            {
                await Console.Out.WriteLineAsync($"{Beginning}: gateway {GatewayUrl()}, dashboard {DashboardUrl()}");
                return;
            }
        }
    }

    private static bool HasEnded(string? state) =>
        state == KnownResourceStates.FailedToStart || state == KnownResourceStates.Exited || state == KnownResourceStates.Finished;

    private async Task EndAsync(ResourceEvent change)
    {
        var how = change.Snapshot.ExitCode is { } code ? $"ended with exit code {code} before the platform was ready" : "could not be started";
        await Console.Error.WriteLineAsync($"{change.Resource.Name} {how}; its own words stand above.");
        Environment.ExitCode = 1;
        lifetime.StopApplication();
    }

    private string GatewayUrl() => new EndpointReference((IResourceWithEndpoints)gateway, "http").Url;

    private string DashboardUrl() => $"{configuration["ASPNETCORE_URLS"]?.Split(';')[0]}/login?t={configuration["AppHost:BrowserToken"]}";
}

internal static class ReadyLineExtensions
{
    /// <summary>Prints the addresses of the gateway and of the dashboard when everything is up.</summary>
    public static void AnnounceReadiness(this IDistributedApplicationBuilder builder, IResourceBuilder<ProjectResource> gateway)
    {
        if (builder.ExecutionContext.IsRunMode)
        {
            builder.Services.AddHostedService(services => ActivatorUtilities.CreateInstance<ReadyLine>(services, gateway.Resource));
        }
    }
}
