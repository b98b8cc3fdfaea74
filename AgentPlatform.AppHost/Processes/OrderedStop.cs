using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net.NetworkInformation;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace AgentPlatform.AppHost.Processes;

/// <summary>
/// Stops the processes of a local run in an order that lets each finish its work: the gateway while workers and broker still run, then the
/// workers, then the broker, then the dashboard, whose ports the next run needs. Aspire would stop all of them at once, kill those that are
/// still running after some seconds, and continue after the host has exited. It still stops containers, and processes that are running when
/// the host's shutdown timeout has passed.
/// </summary>
internal sealed class OrderedStop(
    IResource gateway,
    IResource messaging,
    ResourceCommandService commands,
    ResourceNotificationService notifications,
    IConfiguration configuration)
    : BackgroundService, IHostedLifecycleService
{
    private const int Stages = 4;

    // The variables of a launch profile.
    private static readonly string[] _dashboardAddresses =
    [
        "ASPNETCORE_URLS",
        "ASPIRE_DASHBOARD_OTLP_ENDPOINT_URL",
        "ASPIRE_DASHBOARD_OTLP_HTTP_ENDPOINT_URL",
        "ASPIRE_RESOURCE_SERVICE_ENDPOINT_URL",
    ];

    private static readonly TimeSpan _portsTimeout = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan _portsInterval = TimeSpan.FromMilliseconds(100);

    // Running replicas by resource ID.
    private readonly ConcurrentDictionary<string, ResourceEvent> _running = new(StringComparer.Ordinal);
    private readonly SemaphoreSlim _changed = new(0);

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Stops the processes, before the host stops its services and the orchestrator.</summary>
    public async Task StoppingAsync(CancellationToken cancellationToken)
    {
        try
        {
            for (var stage = 0; stage < Stages; stage++)
            {
                await StopAsync(stage, cancellationToken);
            }
        }
        catch (OperationCanceledException)
        {
            // Aspire stops the remaining processes.
        }
    }

    /// <summary>Waits until the orchestrator has released the dashboard's ports, shortly after it was told to stop.</summary>
    public async Task StoppedAsync(CancellationToken cancellationToken)
    {
        var addresses = _dashboardAddresses.SelectMany(key => configuration[key]?.Split(';') ?? []);
        int[] ports = [.. addresses.Select(address => new Uri(address).Port)];
        for (var waited = TimeSpan.Zero; waited < _portsTimeout && IsListening(ports); waited += _portsInterval)
        {
            await Task.Delay(_portsInterval, TimeProvider.System, cancellationToken);
        }
    }

    public override void Dispose()
    {
        _changed.Dispose();
        base.Dispose();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await foreach (var change in notifications.WatchAsync(stoppingToken))
        {
            var state = change.Snapshot.State?.Text;
            if (state == KnownResourceStates.Running)
            {
                _running[change.ResourceId] = change;
            }
            else if (state is not null && KnownResourceStates.TerminalStates.Contains(state)
                && _running.TryRemove(change.ResourceId, out _))
            {
                _changed.Release();
            }
        }
    }

    private async Task StopAsync(int stage, CancellationToken cancellationToken)
    {
        var stopped = new List<string>();
        foreach (var replica in _running.Values.Where(replica => StageOf(replica.Resource) == stage))
        {
            if (await StopAsync(replica, cancellationToken))
            {
                stopped.Add(replica.ResourceId);
            }
        }

        while (stopped.Any(_running.ContainsKey))
        {
            await _changed.WaitAsync(cancellationToken);
        }
    }

    // By signal, so that the process can take the time it needs for draining.
    private async Task<bool> StopAsync(ResourceEvent replica, CancellationToken cancellationToken)
    {
        if (!OperatingSystem.IsWindows() && ProcessOf(replica.Snapshot) is { } id)
        {
            using var kill = Process.Start("kill", ["-TERM", id]);
            await kill.WaitForExitAsync(cancellationToken);
            return kill.ExitCode == 0;
        }

        return (await commands.ExecuteCommandAsync(replica.ResourceId, KnownResourceCommands.StopCommand, cancellationToken)).Success;
    }

    private static string? ProcessOf(CustomResourceSnapshot snapshot) =>
        snapshot.Properties.FirstOrDefault(property => property.Name == "executable.pid")?.Value is { } id
            ? Convert.ToString(id, CultureInfo.InvariantCulture) : null;

    private static bool IsListening(int[] ports) =>
        IPGlobalProperties.GetIPGlobalProperties().GetActiveTcpListeners().Any(listener => ports.Contains(listener.Port));

    private int? StageOf(IResource resource) =>
        resource == gateway ? 0
        : resource is ProjectResource ? 1
        : resource is not ExecutableResource ? null
        : resource == messaging ? 2 : 3;
}

internal static class OrderedStopExtensions
{
    // For the drains of gateway and workers, one after the other, and for Aspire afterwards.
    private static readonly TimeSpan _shutdownTimeout = TimeSpan.FromMinutes(1);

    /// <summary>In a local run, stops the gateway first, then the workers, then the broker if it is a process of the run.</summary>
    public static void StopInOrder(
        this IDistributedApplicationBuilder builder,
        IResourceBuilder<ProjectResource> gateway,
        IResourceBuilder<IResourceWithConnectionString> messaging)
    {
        if (!builder.ExecutionContext.IsRunMode)
        {
            return;
        }

        builder.Services.Configure<HostOptions>(options => options.ShutdownTimeout = _shutdownTimeout);
        builder.Services.AddHostedService(services =>
            ActivatorUtilities.CreateInstance<OrderedStop>(services, gateway.Resource, messaging.Resource));
    }
}
