using System.Reflection;
using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Dashboard;
using Aspire.Hosting.Dcp;
using Aspire.Hosting.Eventing;
using Aspire.Hosting.Pipelines;
using Aspire.Hosting.Publishing;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Aspire.Hosting;

internal sealed class DistributedApplicationBuilder : IDistributedApplicationBuilder
{
    // Command line of the application host, as the Aspire command line and `dotnet run -- ...` write it.
    private static readonly Dictionary<string, string> _switches = new()
    {
        ["--operation"] = "AppHost:Operation",
        ["--publisher"] = "Publishing:Publisher",
        ["--output-path"] = "Pipeline:OutputPath",
        ["--step"] = "Pipeline:Step",
    };

    private readonly HostApplicationBuilder _host;
    private readonly List<IResource> _resources = [];
    private readonly DistributedApplicationEventing _eventing = new();
    private readonly Pipeline _pipeline = new();

    public DistributedApplicationBuilder(string[] args)
    {
        var assembly = Assembly.GetEntryAssembly();
        AppHostDirectory = Metadata(assembly, "apphostprojectpath") ?? Directory.GetCurrentDirectory();
        _host = new HostApplicationBuilder(new HostApplicationBuilderSettings
        {
            ContentRootPath = AppHostDirectory,
            ApplicationName = assembly?.GetName().Name,
        });
        if (assembly is not null && _host.Environment.IsDevelopment())
        {
            _host.Configuration.AddUserSecrets(assembly, optional: true);
            _host.Configuration.AddEnvironmentVariables();
        }

        _host.Configuration.AddCommandLine(args, _switches);
        _host.Logging.AddFilter("Microsoft.Hosting.Lifetime", LogLevel.Warning)
            .AddFilter("Microsoft.Extensions.Hosting.Internal.Host", LogLevel.None)
            .AddFilter("Microsoft.AspNetCore", LogLevel.Warning)
            .AddFilter("Grpc", LogLevel.Warning)
            .AddFilter("System.Net.Http.HttpClient", LogLevel.Warning)
            .AddFilter("Microsoft.Extensions.Diagnostics.HealthChecks", LogLevel.None);

        var isPublish = _host.Configuration["Publishing:Publisher"] is not null
            || string.Equals(_host.Configuration["AppHost:Operation"], "publish", StringComparison.OrdinalIgnoreCase);
        ExecutionContext = new DistributedApplicationExecutionContext(isPublish);

        Services.TryAddSingleton(TimeProvider.System);
        Services.AddSingleton(_eventing);
        Services.AddSingleton<IDistributedApplicationEventing>(_eventing);
        Services.AddSingleton(ExecutionContext);
        Services.AddSingleton(new ResourceNotificationService());
        Services.AddSingleton(new ResourceLoggerService());
        Services.AddHealthChecks();
        if (ExecutionContext.IsRunMode)
        {
            DashboardSettings.MakeKeys(Configuration);
            Services.AddHostedService<ApplicationOrchestrator>();
        }
        else
        {
            Services.AddSingleton(_pipeline);
            Services.AddSingleton<IPipelineOutputService, PipelineOutput>();
            _pipeline.AddStep(WellKnownPipelineSteps.PublishManifest, ManifestPublisher.PublishAsync);
        }
    }

    public ConfigurationManager Configuration => _host.Configuration;

    public string AppHostDirectory { get; }

    public IHostEnvironment Environment => _host.Environment;

    public IServiceCollection Services => _host.Services;

    public DistributedApplicationExecutionContext ExecutionContext { get; }

    public IDistributedApplicationEventing Eventing => _eventing;

    public IDistributedApplicationPipeline Pipeline => _pipeline;

    public IResourceBuilder<T> AddResource<T>(T resource) where T : IResource
    {
        if (_resources.Any(other => string.Equals(other.Name, resource.Name, StringComparison.OrdinalIgnoreCase)))
        {
            throw new InvalidOperationException($"There is a resource named '{resource.Name}' already.");
        }

        _resources.Add(resource);
        return CreateResourceBuilder(resource);
    }

    public IResourceBuilder<T> CreateResourceBuilder<T>(T resource) where T : IResource => new ResourceBuilder<T>(this, resource);

    public DistributedApplication Build()
    {
        var model = new DistributedApplicationModel(_resources);
        Services.AddSingleton(model);
        return new DistributedApplication(_host.Build(), model);
    }

    private static string? Metadata(Assembly? assembly, string key) =>
        assembly?.GetCustomAttributes<AssemblyMetadataAttribute>().FirstOrDefault(m => string.Equals(m.Key, key, StringComparison.OrdinalIgnoreCase))?.Value;
}
