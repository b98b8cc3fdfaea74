using System.Globalization;

namespace AgentPlatform.AppHost.Models;

/// <summary>Pools of workers: one model at one version, with a queue of its own.</summary>
internal static class ModelPoolExtensions
{
    /// <summary>Adds a pool that serves a model under the pool's name. Its HTTP port is chosen at each start: jobs come over the broker.</summary>
    public static IResourceBuilder<ProjectResource> AddModelPool<TWorker>(
        this IDistributedApplicationBuilder builder, string name, string engine, string version = "1") where TWorker : IProjectMetadata, new() =>
        builder.AddProject<TWorker>(name, launchProfileName: null)
            .WithHttpEndpoint()
            .WithHttpHealthCheck("/health")
            .WithEnvironment("Model__Name", name)
            .WithEnvironment("Model__Version", version)
            .WithEnvironment("Engine__Type", engine)
            .WithAnnotation(new ModelPoolAnnotation(version));

    /// <summary>
    /// Loads the model from a folder of this repository. A published worker has the same folder below its own: by its image, or mounted.
    /// </summary>
    public static IResourceBuilder<ProjectResource> WithModelFolder(this IResourceBuilder<ProjectResource> pool, string folder)
    {
        var builder = pool.ApplicationBuilder;
        return pool.WithEnvironment("Model__Source", builder.ExecutionContext.IsPublishMode ? folder : Path.GetFullPath($"../{folder}", builder.AppHostDirectory));
    }

    /// <summary>Puts the model into the gateway's catalogue, reached over its queue.</summary>
    public static IResourceBuilder<ProjectResource> ServedBy(
        this IResourceBuilder<ProjectResource> pool, IResourceBuilder<ProjectResource> gateway, ModelOperation operation, string description)
    {
        var version = pool.Resource.Annotations.OfType<ModelPoolAnnotation>().Single().Version;
        var index = gateway.Resource.Annotations.OfType<CatalogueEntryAnnotation>().Count();
        var entry = string.Create(CultureInfo.InvariantCulture, $"Models__{index}__");
        gateway.WithAnnotation(new CatalogueEntryAnnotation())
            .WithEnvironment($"{entry}Name", pool.Resource.Name)
            .WithEnvironment($"{entry}Version", version)
            .WithEnvironment($"{entry}Transport", "queue")
            .WithEnvironment($"{entry}Operations__0", operation.ToString())
            .WithEnvironment($"{entry}Description", description);
        return pool;
    }

    private sealed record ModelPoolAnnotation(string Version) : IResourceAnnotation;

    private sealed record CatalogueEntryAnnotation : IResourceAnnotation;
}
