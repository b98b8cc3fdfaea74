using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Eventing;
using Aspire.Hosting.Publishing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Aspire.Hosting;

/// <summary>A distributed application: its model, and its run on this machine or its publishing.</summary>
public sealed class DistributedApplication : IHost
{
    private readonly IHost _host;
    private readonly DistributedApplicationModel _model;

    internal DistributedApplication(IHost host, DistributedApplicationModel model)
    {
        _host = host;
        _model = model;
    }

    /// <summary>Services of the application host.</summary>
    public IServiceProvider Services => _host.Services;

    /// <summary>Starts building; <paramref name="args"/> are settings of the application host.</summary>
    public static IDistributedApplicationBuilder CreateBuilder(string[] args) => new DistributedApplicationBuilder(args);

    /// <summary>Runs until it is told to stop, or publishes.</summary>
    public void Run() => RunAsync().GetAwaiter().GetResult();

    /// <summary>Runs until it is told to stop, or publishes.</summary>
    public async Task RunAsync(CancellationToken cancellationToken = default)
    {
        try
        {
            if (Services.GetRequiredService<DistributedApplicationExecutionContext>().IsPublishMode)
            {
                await PublishAsync(cancellationToken);
            }
            else
            {
                await _host.RunAsync(cancellationToken);
            }
        }
        catch (DistributedApplicationException e)
        {
            Log.CannotRun(Services.GetRequiredService<ILogger<DistributedApplication>>(), e.Message);
            Environment.ExitCode = 1;
        }
        catch (OperationCanceledException) when (Services.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping.IsCancellationRequested)
        {
            // Told to stop while it started.
        }
        finally
        {
            _host.Dispose();
        }
    }

    private async Task PublishAsync(CancellationToken cancellationToken)
    {
        await Services.GetRequiredService<DistributedApplicationEventing>().PublishAsync(new BeforeStartEvent(Services, _model), cancellationToken);
        var publisher = Services.GetService<IPublisher>()
            ?? throw new DistributedApplicationException("Nothing here publishes what '--operation publish' or '--publisher' asks for.");
        await publisher.PublishAsync(_model, cancellationToken);
    }

    Task IHost.StartAsync(CancellationToken cancellationToken) => _host.StartAsync(cancellationToken);

    Task IHost.StopAsync(CancellationToken cancellationToken) => _host.StopAsync(cancellationToken);

    void IDisposable.Dispose() => _host.Dispose();
}
