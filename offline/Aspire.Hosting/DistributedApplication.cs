using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Eventing;
using Aspire.Hosting.Pipelines;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Aspire.Hosting;

/// <summary>A distributed application: its model, and its run on this machine or its publishing.</summary>
public sealed class DistributedApplication : IAsyncDisposable
{
    private readonly IHost _host;
    private readonly DistributedApplicationModel _model;

    internal DistributedApplication(IHost host, DistributedApplicationModel model)
    {
        _host = host;
        _model = model;
    }

    /// <summary>Services of the application host.</summary>
    internal IServiceProvider Services => _host.Services;

    /// <summary>Starts building; <paramref name="args"/> are settings of the application host.</summary>
    public static IDistributedApplicationBuilder CreateBuilder(string[] args) => new DistributedApplicationBuilder(args);

    /// <summary>Runs until it is told to stop, or publishes.</summary>
    public async Task RunAsync(CancellationToken cancellationToken = default)
    {
        var stopping = Services.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping;
        try
        {
            if (Services.GetRequiredService<DistributedApplicationExecutionContext>().IsPublishMode)
            {
                await PublishAsync(cancellationToken);
            }
            else
            {
                await _host.StartAsync(cancellationToken);
                await _host.WaitForShutdownAsync(cancellationToken);
            }
        }
        catch (DistributedApplicationException e)
        {
            // The sentence alone, after what has been logged before it.
            await DisposeAsync();
            await Console.Error.WriteLineAsync(e.Message);
            Environment.ExitCode = 1;
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // Told to stop while it started.
        }
        finally
        {
            await DisposeAsync();
        }
    }

    /// <inheritdoc />
    public ValueTask DisposeAsync() => ((IAsyncDisposable)_host).DisposeAsync();

    private async Task PublishAsync(CancellationToken cancellationToken)
    {
        await Services.GetRequiredService<DistributedApplicationEventing>().PublishAsync(new BeforeStartEvent(Services, _model), cancellationToken);
        var configuration = Services.GetRequiredService<IConfiguration>();
        var isManifest = string.Equals(configuration["Publishing:Publisher"], "manifest", StringComparison.OrdinalIgnoreCase);
        var step = isManifest ? WellKnownPipelineSteps.PublishManifest
            : configuration["Pipeline:Step"] ?? throw new DistributedApplicationException("Say what to publish with '--step', publish or publish-manifest.");
        await Services.GetRequiredService<Pipeline>().RunAsync(
            step, new PipelineStepContext(Services, _model, Services.GetRequiredService<DistributedApplicationExecutionContext>(), cancellationToken));
    }
}
