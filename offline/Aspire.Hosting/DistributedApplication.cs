using Aspire.Hosting.ApplicationModel;
using Microsoft.Extensions.Hosting;

namespace Aspire.Hosting;

/// <summary>A distributed application: its model, and its run on this machine or its publishing.</summary>
public sealed class DistributedApplication : IHost
{
    private readonly IHost _host;
    private readonly DistributedApplicationModel _model;

    internal DistributedApplication(IHost host, DistributedApplicationModel model, string appHostDirectory)
    {
        _host = host;
        _model = model;
        AppHostDirectory = appHostDirectory;
    }

    /// <summary>Services of the application host.</summary>
    public IServiceProvider Services => _host.Services;

    internal string AppHostDirectory { get; }

    /// <summary>Starts building; <paramref name="args"/> are settings of the application host.</summary>
    public static IDistributedApplicationBuilder CreateBuilder(string[] args) => new DistributedApplicationBuilder(args);

    /// <summary>Runs until it is told to stop, or publishes.</summary>
    public void Run() => RunAsync().GetAwaiter().GetResult();

    /// <summary>Runs until it is told to stop, or publishes.</summary>
    public Task RunAsync(CancellationToken cancellationToken = default) => _host.RunAsync(cancellationToken);

    Task IHost.StartAsync(CancellationToken cancellationToken) => _host.StartAsync(cancellationToken);

    Task IHost.StopAsync(CancellationToken cancellationToken) => _host.StopAsync(cancellationToken);

    void IDisposable.Dispose() => _host.Dispose();
}
