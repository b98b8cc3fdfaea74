using System.Globalization;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;

namespace AgentPlatform.AppHost.Startup;

/// <summary>
/// Prints one line when every process of every project runs and is healthy for the first time. A process that ends before that ends
/// the platform with exit code 1: nobody waits for a ready line that cannot come.
/// </summary>
internal sealed class ReadyLine(
    IResource gateway, DistributedApplicationModel model, ResourceNotificationService notifications, ResourceLoggerService logs, IConfiguration configuration,
    IHostApplicationLifetime lifetime)
    : BackgroundService
{
    /// <summary>How the line begins; scripts look for it.</summary>
    public const string Beginning = "AgentPlatform is ready";

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // What ends because the run is told to stop has not failed to start.
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken, lifetime.ApplicationStopping);
        // A project runs only once the broker is healthy. Other resources may be Aspire's own, such as the one for each project that
        // builds it anew on a click, and starts at no other time.
        var missing = model.Resources.OfType<ProjectResource>().ToDictionary(project => project.Name, project => project.GetReplicaCount());
        var healthy = new HashSet<string>(StringComparer.Ordinal);
        await foreach (var change in notifications.WatchAsync(stopping.Token))
        {
            // Parameters and connection strings have no process.
            if (change.Resource is IResourceWithWaitSupport && HasEnded(change.Snapshot.State?.Text))
            {
                await EndAsync(change);
                return;
            }

            var name = change.Resource.Name;
            if (change.Snapshot.HealthStatus == HealthStatus.Healthy && missing.ContainsKey(name) && healthy.Add(change.ResourceId)
                && --missing[name] == 0 && missing.Values.All(count => count == 0))
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
        await Console.Error.WriteLineAsync($"{change.Resource.Name} {how}. {await LastWordsAsync(change.Resource)}".TrimEnd());
        Environment.ExitCode = 1;
        lifetime.StopApplication();
    }

    /// <summary>The last line that the resource wrote, of those on standard error if there are any; without its time.</summary>
    private async Task<string> LastWordsAsync(IResource resource)
    {
        LogLine? last = null;
        await foreach (var lines in logs.GetAllAsync(resource))
        {
            foreach (var line in lines.Where(line => !string.IsNullOrWhiteSpace(line.Content)))
            {
                last = line.IsErrorMessage || last is not { IsErrorMessage: true } ? line : last;
            }
        }

        // "2026-11-23T12:08:06.320Z Engine:Type must name the engine of this worker."
        var content = last?.Content ?? "";
        var space = content.IndexOf(' ', StringComparison.Ordinal);
        return space > 0 && DateTimeOffset.TryParse(content[..space], CultureInfo.InvariantCulture, out _) ? content[(space + 1)..] : content;
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
