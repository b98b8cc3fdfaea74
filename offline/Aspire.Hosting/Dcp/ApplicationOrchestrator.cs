using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Dashboard;
using Aspire.Hosting.Eventing;
using Aspire.Hosting.Health;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Aspire.Hosting.Dcp;

/// <summary>Runs the application on DCP, from the first port to the last process.</summary>
internal sealed class ApplicationOrchestrator(
    DistributedApplicationModel model, ResourceNotificationService notifications, ResourceLoggerService consoles, DistributedApplicationEventing eventing, HealthCheckService checks,
    DistributedApplicationExecutionContext executionContext, IConfiguration configuration, IHostEnvironment environment, IHostApplicationLifetime lifetime,
    IServiceProvider services, TimeProvider time, ILoggerFactory loggers, ILogger<DistributedApplication> logger) : IHostedService, IDisposable
{
    private static readonly TimeSpan _stopLimit = TimeSpan.FromSeconds(17);

    private readonly CancellationTokenSource _stopping = new();
    private readonly List<Task> _running = [];
    private DcpClient? _dcp;
    private DashboardServiceHost? _dashboardService;

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        Log.Starting(logger);
        Log.Directory(logger, environment.ContentRootPath);
        try
        {
            await StartAllAsync(cancellationToken);
        }
        catch
        {
            // The host does not stop what failed to start.
            await StopAsync(CancellationToken.None);
            throw;
        }
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        if (_dcp is null)
        {
            return;
        }

        Log.Stopping(logger);
        await _stopping.CancelAsync();
        using var limit = new CancellationTokenSource(_stopLimit, time);
        try
        {
            await _dcp.ShutDownAsync(limit.Token);
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested)
        {
            Log.StoppingSlow(logger, _stopLimit.TotalSeconds);
        }

        if (_dashboardService is not null)
        {
            await _dashboardService.DisposeAsync();
        }

        await Task.WhenAll(_running).WaitAsync(TimeSpan.FromSeconds(1), time, CancellationToken.None).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _dcp.Dispose();
        _dcp = null;
    }

    public void Dispose() => _stopping.Dispose();

    private async Task StartAllAsync(CancellationToken cancellationToken)
    {
        await eventing.PublishAsync(new BeforeStartEvent(services, model), cancellationToken);

        var dashboard = new DashboardResource(configuration);
        EndpointAllocator.EnsureFree([
            .. dashboard.Ports,
            .. model.Resources.SelectMany(resource => resource.Annotations.OfType<EndpointAnnotation>().Where(endpoint => endpoint.Port is not null)
                .Select(endpoint => ($"the endpoint '{endpoint.Name}' of '{resource.Name}'", EndpointAllocator.BindAddress(endpoint), endpoint.Port!.Value)))]);

        var bundle = await AspireBundle.FindOrFetchAsync(configuration, logger, cancellationToken);
        _dcp = await DcpProcess.StartAsync(bundle.Dcp, time, cancellationToken);
        dashboard.UseProgram(bundle.Dashboard);

        IReadOnlyList<ResourceInstance> instances = [.. ResourceInstance.Of(dashboard), .. model.Resources.SelectMany(ResourceInstance.Of)];
        var runner = new ResourceRunner(_dcp, instances, new ProcessObjects(executionContext), notifications, eventing, services, time, logger);
        consoles.Logs = new ProcessLogs(_dcp, instances, notifications);
        _dashboardService = await DashboardServiceHost.StartAsync(
            configuration, new DashboardData(environment.ApplicationName, notifications, consoles.Logs, runner), loggers, cancellationToken);

        await new EndpointAllocator(_dcp).AllocateAsync(model.Resources, cancellationToken);
        _running.Add(WatchAsync(new ResourceWatcher(_dcp, instances, notifications, logger)));
        ValueResources.Publish(model, notifications, time);

        _running.Add(runner.StartAsync(dashboard, _stopping.Token));
        _running.Add(dashboard.AnnounceAsync(notifications, logger, _stopping.Token));
        _running.Add(new ResourceHealthMonitor(checks, notifications, eventing, services, time)
            .RunAsync([.. instances.Select(instance => instance.Resource).Distinct()], _stopping.Token));
        foreach (var resource in instances.Select(instance => instance.Resource).Distinct().Where(resource => resource is not DashboardResource))
        {
            _running.Add(runner.StartAsync(resource, _stopping.Token));
        }

        await eventing.PublishAsync(new AfterResourcesCreatedEvent(services, model), cancellationToken);
        Log.Started(logger);
    }

    /// <summary>Without the orchestrator nothing can be started, stopped or seen any more.</summary>
    private async Task WatchAsync(ResourceWatcher watcher)
    {
        try
        {
            await watcher.RunAsync(_stopping.Token);
        }
        catch (HttpRequestException e) when (!_stopping.IsCancellationRequested)
        {
            Log.OrchestratorLost(logger, e.Message);
            Environment.ExitCode = 1;
            lifetime.StopApplication();
        }
    }
}
