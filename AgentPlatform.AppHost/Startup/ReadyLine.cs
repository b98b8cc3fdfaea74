using System.Globalization;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;

namespace AgentPlatform.AppHost.Startup;

/// <summary>
/// Prints one line when all replicas of all projects are healthy for the first time. If a process exits before that, the application host
/// stops with exit code 1, so that scripts do not wait for the line forever.
/// </summary>
internal sealed class ReadyLine(
    IResource gateway,
    DistributedApplicationModel model,
    ResourceNotificationService notifications,
    ResourceLoggerService logs,
    IConfiguration configuration,
    IHostApplicationLifetime lifetime)
    : BackgroundService
{
    /// <summary>The beginning of the line, which scripts search for.</summary>
    public const string Prefix = "AgentPlatform is ready";

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // A process that exits because the run is stopping has not failed to start.
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken, lifetime.ApplicationStopping);

        // Projects are enough: they start only once the broker is healthy. Other resources may be Aspire's own, such as those that
        // rebuild a project and start only on request.
        var missing = model.Resources.OfType<ProjectResource>().ToDictionary(project => project.Name, project => project.GetReplicaCount());
        var healthy = new HashSet<string>(StringComparer.Ordinal);
        await foreach (var change in notifications.WatchAsync(stopping.Token))
        {
            // Parameters and connection strings do not support waiting, and have no process.
            if (change.Resource is IResourceWithWaitSupport && HasEnded(change.Snapshot.State?.Text))
            {
                await EndAsync(change);
                return;
            }

            var name = change.Resource.Name;
            if (change.Snapshot.HealthStatus == HealthStatus.Healthy && missing.ContainsKey(name) && healthy.Add(change.ResourceId)
                && --missing[name] == 0 && missing.Values.All(count => count == 0))
            {
                await Console.Out.WriteLineAsync($"{Prefix}: gateway {GatewayUrl()}, dashboard {DashboardUrl()}");
                return;
            }
        }
    }

    private static bool HasEnded(string? state) =>
        state == KnownResourceStates.FailedToStart || state == KnownResourceStates.Exited || state == KnownResourceStates.Finished;

    private async Task EndAsync(ResourceEvent change)
    {
        var how = change.Snapshot.ExitCode is { } code
            ? $"ended with exit code {code} before the platform was ready" : "could not be started";
        await Console.Error.WriteLineAsync($"{change.Resource.Name} {how}. {await LastLogLineAsync(change.Resource)}".TrimEnd());
        Environment.ExitCode = 1;
        lifetime.StopApplication();
    }

    /// <summary>Returns the resource's last line on standard error, or else on standard output, without the timestamp.</summary>
    private async Task<string> LastLogLineAsync(IResource resource)
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
        var hasTimestamp = space > 0 && DateTimeOffset.TryParse(content[..space], CultureInfo.InvariantCulture, out _);
        return hasTimestamp ? content[(space + 1)..] : content;
    }

    private string GatewayUrl() => new EndpointReference((IResourceWithEndpoints)gateway, "http").Url;

    private string DashboardUrl() =>
        $"{configuration["ASPNETCORE_URLS"]?.Split(';')[0]}/login?t={configuration["AppHost:BrowserToken"]}";
}

internal static class ReadyLineExtensions
{
    /// <summary>In a local run, prints the addresses of gateway and dashboard when all projects are healthy.</summary>
    public static void AnnounceReadiness(this IDistributedApplicationBuilder builder, IResourceBuilder<ProjectResource> gateway)
    {
        if (builder.ExecutionContext.IsRunMode)
        {
            builder.Services.AddHostedService(services => ActivatorUtilities.CreateInstance<ReadyLine>(services, gateway.Resource));
        }
    }
}
