using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Eventing;
using Aspire.Hosting.Pipelines;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Aspire.Hosting;

/// <summary>Builds the model of a distributed application.</summary>
public interface IDistributedApplicationBuilder
{
    /// <summary>Settings of the application host: appsettings, user secrets, environment, command line.</summary>
    ConfigurationManager Configuration { get; }

    /// <summary>Folder of the application host's project; relative paths start there.</summary>
    string AppHostDirectory { get; }

    /// <summary>Environment of the application host.</summary>
    internal IHostEnvironment Environment { get; }

    /// <summary>Services of the application host; health checks of resources are added here.</summary>
    IServiceCollection Services { get; }

    /// <summary>Whether the application runs or is published.</summary>
    DistributedApplicationExecutionContext ExecutionContext { get; }

    /// <summary>Events in the life of the application.</summary>
    internal IDistributedApplicationEventing Eventing { get; }

    /// <summary>What is done when the application is published.</summary>
    IDistributedApplicationPipeline Pipeline { get; }

    /// <summary>Adds a resource; its name must be new.</summary>
    IResourceBuilder<T> AddResource<T>(T resource) where T : IResource;

    /// <summary>Adds to a resource that is there already.</summary>
    internal IResourceBuilder<T> CreateResourceBuilder<T>(T resource) where T : IResource;

    /// <summary>Ends the building.</summary>
    DistributedApplication Build();
}

/// <summary>Whether the application runs or is published.</summary>
public sealed class DistributedApplicationExecutionContext
{
    internal DistributedApplicationExecutionContext(bool isPublishMode) => IsPublishMode = isPublishMode;

    /// <summary>True when artefacts are made instead of starting anything.</summary>
    public bool IsPublishMode { get; }

    /// <summary>True when the application starts on this machine.</summary>
    public bool IsRunMode => !IsPublishMode;
}
