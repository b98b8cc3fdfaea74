using Aspire.Hosting.ApplicationModel;
using Microsoft.Extensions.Configuration;

namespace Aspire.Hosting.Pipelines;

/// <summary>What is done when the application is published, in steps that depend on one another.</summary>
public interface IDistributedApplicationPipeline
{
    /// <summary>Adds a step.</summary>
    /// <param name="name">Unique; <c>--step</c> asks for it.</param>
    /// <param name="action">What it does.</param>
    /// <param name="dependsOn">Name or names of the steps that come before.</param>
    /// <param name="requiredBy">Name or names of the steps that come after.</param>
    void AddStep(string name, Func<PipelineStepContext, Task> action, object? dependsOn = null, object? requiredBy = null);
}

/// <summary>What a step gets.</summary>
public sealed class PipelineStepContext
{
    internal PipelineStepContext(IServiceProvider services, DistributedApplicationModel model, DistributedApplicationExecutionContext executionContext, CancellationToken cancellationToken)
    {
        Services = services;
        Model = model;
        ExecutionContext = executionContext;
        CancellationToken = cancellationToken;
    }

    /// <summary>Services of the application host.</summary>
    public IServiceProvider Services { get; }

    /// <summary>Cancelled when the application host is to stop.</summary>
    public CancellationToken CancellationToken { get; }

    internal DistributedApplicationModel Model { get; }

    internal DistributedApplicationExecutionContext ExecutionContext { get; }
}

/// <summary>Where steps write to.</summary>
public interface IPipelineOutputService
{
    /// <summary>The folder of <c>--output-path</c>, absolute.</summary>
    string GetOutputDirectory();
}

/// <summary>Steps that others hang on.</summary>
internal static class WellKnownPipelineSteps
{
    public const string Publish = "publish";
    public const string PublishManifest = "publish-manifest";
}

internal sealed class PipelineOutput(IConfiguration configuration) : IPipelineOutputService
{
    public string GetOutputDirectory() => configuration["Pipeline:OutputPath"] is { Length: > 0 } set
        ? Path.GetFullPath(set)
        : throw new DistributedApplicationException("Say where to publish to with '--output-path'.");
}
