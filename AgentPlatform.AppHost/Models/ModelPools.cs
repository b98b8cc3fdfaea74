using System.Globalization;
using AgentPlatform.AppHost.Containers;
using AgentPlatform.AppHost.Startup;
using Microsoft.Extensions.Options;

namespace AgentPlatform.AppHost.Models;

/// <summary>
/// The pools of one platform. A pool is a model at one version: workers of its own that take their jobs from its own queue, and an entry in
/// the gateway's catalogue.
/// </summary>
internal sealed class ModelPools(
    IDistributedApplicationBuilder builder, IResourceBuilder<ProjectResource> gateway, IResourceBuilder<IResourceWithConnectionString> messaging)
{
    private int _count;

    /// <summary>Whether a local run can have containers.</summary>
    public Func<bool> HasContainers { get; init; } = ContainerEngine.IsUsable;

    /// <summary>The application that they are part of.</summary>
    public IDistributedApplicationBuilder ApplicationBuilder => builder;

    /// <summary>A classifier in the worker, from a folder of this repository with <c>model.onnx</c> and <c>config.json</c>.</summary>
    public IResourceBuilder<ProjectResource> AddOnnxClassifier(string name, string folder, string description) =>
        WithModelFolder(Add(name, EngineType.OnnxClassifier, ModelOperation.Analyze, description), folder);

    /// <summary>
    /// A language model in the worker, from a folder of this repository in the layout of Hugging Face Optimum's export. The configuration can put
    /// an OpenAI-compatible server in its place (<see cref="PoolOptions.Server"/>).
    /// </summary>
    public IResourceBuilder<ProjectResource> AddOnnxChat(string name, string folder, string description) =>
        ServerOf(name) is { } server
            ? AddOpenAIServer(name, server, $"Answered by {server}.")
            : WithModelFolder(Add(name, EngineType.OnnxChat, ModelOperation.Chat, description), folder);

    /// <summary>A chat model at an OpenAI-compatible server that runs already. The parameter <c>NAME-api-key</c>, if configured, is its key.</summary>
    public IResourceBuilder<ProjectResource> AddOpenAIServer(string name, Uri address, string description, string? upstreamModel = null)
    {
        var pool = Add(name, EngineType.OpenAI, ModelOperation.Chat, description)
            .WithEnvironment("OpenAI__Endpoint", address.ToString())
            .WithEnvironment("OpenAI__UpstreamModel", OptionsOf(name).UpstreamModel ?? upstreamModel ?? name);
        return SecretOf(name, "api-key") is { } key ? pool.WithEnvironment("OpenAI__ApiKey", key) : pool;
    }

    /// <summary>A pool with an engine whose settings the caller adds. Its HTTP port is chosen at each start: jobs come over the broker.</summary>
    public IResourceBuilder<ProjectResource> Add(string name, string engine, ModelOperation operation, string description, string version = "1")
    {
        var entry = string.Create(CultureInfo.InvariantCulture, $"Models__{_count++}__");
        gateway
            .WithEnvironment($"{entry}Name", name)
            .WithEnvironment($"{entry}Version", version)
            .WithEnvironment($"{entry}Transport", "queue")
            .WithEnvironment($"{entry}Operations__0", operation.ToString())
            .WithEnvironment($"{entry}Description", description);
        return builder.AddProject<Projects.AgentPlatform_Worker>(name, launchProfileName: null)
            .WithHttpEndpoint()
            .WithHttpHealthCheck("/health")
            .WithEnvironment("Model__Name", name)
            .WithEnvironment("Model__Version", version)
            .WithEnvironment("Engine__Type", engine)
            .WithReference(messaging).WaitFor(messaging);
    }

    /// <summary>What the configuration says of a pool.</summary>
    public PoolOptions OptionsOf(string name)
    {
        var section = $"{PoolOptions.Section}:{name}";
        try
        {
            return builder.ReadOptions(section, new PoolOptionsValidator());
        }
        catch (OptionsValidationException e)
        {
            throw new StartupException(string.Join(Environment.NewLine, e.Failures.Select(failure => $"{section}:{failure.Replace(": ", " ", StringComparison.Ordinal)}")));
        }
    }

    /// <summary>The running server that a local run is to use for a pool, if any. What is published never depends on one.</summary>
    public Uri? ServerOf(string name) => builder.ExecutionContext.IsRunMode && OptionsOf(name).Server is { Length: > 0 } address ? new Uri(address) : null;

    /// <summary>The secret parameter <c>NAME-KIND</c> of a pool, if the configuration has it.</summary>
    public IResourceBuilder<ParameterResource>? SecretOf(string name, string kind) =>
        builder.Configuration[$"Parameters:{name}-{kind}"] is { Length: > 0 } ? builder.AddParameter($"{name}-{kind}", secret: true) : null;

    // A published worker has the same folder below its own: by its image, or mounted.
    private IResourceBuilder<ProjectResource> WithModelFolder(IResourceBuilder<ProjectResource> pool, string folder) =>
        pool.WithEnvironment("Model__Source", builder.ExecutionContext.IsPublishMode ? folder : Path.GetFullPath($"../{folder}", builder.AppHostDirectory));
}

internal static class ModelPoolsExtensions
{
    /// <summary>Begins the pools of a platform, whose jobs go from <paramref name="gateway"/> over <paramref name="messaging"/> to workers.</summary>
    public static ModelPools AddModelPools(
        this IDistributedApplicationBuilder builder, IResourceBuilder<ProjectResource> gateway, IResourceBuilder<IResourceWithConnectionString> messaging) =>
        new(builder, gateway, messaging);
}
