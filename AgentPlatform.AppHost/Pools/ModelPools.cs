using System.Globalization;
using System.Text.RegularExpressions;
using AgentPlatform.AppHost.Broker;
using AgentPlatform.AppHost.Containers;
using AgentPlatform.AppHost.Dashboard;
using AgentPlatform.AppHost.Kubernetes.Chart;
using AgentPlatform.AppHost.Kubernetes.Workloads;
using AgentPlatform.AppHost.Processes;
using AgentPlatform.AppHost.Startup;
using Microsoft.Extensions.Options;

namespace AgentPlatform.AppHost.Pools;

/// <summary>
/// The pools of a platform. A pool is a model at one version: workers of its own, which take their jobs from a queue of its own, and an
/// entry in the gateway's catalogue. Not thread-safe: pools are added while the application model is built.
/// </summary>
internal sealed partial class ModelPools(
    IDistributedApplicationBuilder builder,
    IResourceBuilder<ProjectResource> gateway,
    IResourceBuilder<IResourceWithConnectionString> messaging)
{
    private readonly Dictionary<string, Action<PoolOptions>> _defaults = new(StringComparer.Ordinal);
    private readonly Dictionary<string, ModelOperation> _models = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _queues = new(StringComparer.Ordinal);
    private readonly Dictionary<string, WorkerPods> _pods = new(StringComparer.Ordinal);
    private int _count;

    /// <summary>The chart that is being published, or null.</summary>
    public KubernetesChart? Chart { get; init; }

    /// <summary>Whether a local run can start containers.</summary>
    public Func<bool> HasContainers { get; init; } = ContainerEngine.IsUsable;

    /// <summary>The application that the pools belong to.</summary>
    public IDistributedApplicationBuilder ApplicationBuilder => builder;

    /// <summary>The operation of each model, by the model's name for clients.</summary>
    public IReadOnlyDictionary<string, ModelOperation> Models => _models;

    /// <summary>
    /// Adds a classifier that runs in the worker, from a folder of this repository with <c>model.onnx</c> and <c>config.json</c>.
    /// </summary>
    public IResourceBuilder<ProjectResource> AddOnnxClassifier(
        string name, string folder, string description, Action<PoolOptions>? configure = null) =>
        WithModelFolder(Add(name, EngineType.OnnxClassifier, ModelOperation.Analyze, description, configure), folder);

    /// <summary>
    /// Adds a language model that runs in the worker, from a folder of this repository in the layout of Hugging Face Optimum's export. The
    /// configuration can replace it by an OpenAI-compatible server (<see cref="PoolOptions.Server"/>).
    /// </summary>
    public IResourceBuilder<ProjectResource> AddOnnxChat(
        string name, string folder, string description, Action<PoolOptions>? configure = null) =>
        ServerOf(name) is { } server
            ? AddOpenAIServer(name, server, $"Answered by {server}.")
            : WithModelFolder(Add(name, EngineType.OnnxChat, ModelOperation.Chat, description, configure), folder);

    /// <summary>
    /// Adds a chat model of a running OpenAI-compatible server. The parameter <c>NAME-api-key</c> is the API key. If it is not configured
    /// and the server is a provider's, the dashboard asks for it.
    /// </summary>
    public IResourceBuilder<ProjectResource> AddOpenAIServer(string name, Uri address, string description, string? upstreamModel = null)
    {
        var pool = Add(name, EngineType.OpenAI, ModelOperation.Chat, description)
            .WithEnvironment("OpenAI__Endpoint", address.ToString())
            .WithEnvironment("OpenAI__UpstreamModel", OptionsOf(name).UpstreamModel ?? upstreamModel ?? name);
        var isProvider = builder.ExecutionContext.IsRunMode && address.Scheme == Uri.UriSchemeHttps && !address.IsLoopback;
        var key = SecretOf(name, "api-key") ?? (isProvider ? builder.AddParameter($"{name}-api-key", secret: true) : null);
        return key is null ? pool : pool.WithEnvironment("OpenAI__ApiKey", key);
    }

    /// <summary>
    /// Adds a pool whose engine the caller configures. Workers listen on a random HTTP port, since they take their jobs from the broker.
    /// </summary>
    /// <param name="name">Name of the pool, and of the model for clients unless <see cref="PoolOptions.Model"/> names it.</param>
    /// <param name="engine">One of <see cref="EngineType"/>.</param>
    /// <param name="operation">Operation of the model.</param>
    /// <param name="description">Description in <c>/v1/models</c>.</param>
    /// <param name="configure">Sets options of the pool, which the configuration can override.</param>
    /// <exception cref="StartupException">The options are invalid or contradict each other, or another pool has the queue.</exception>
    public IResourceBuilder<ProjectResource> Add(
        string name, string engine, ModelOperation operation, string description, Action<PoolOptions>? configure = null)
    {
        var facts = EngineType.All[engine];
        if (!facts.Operations.Contains(operation))
        {
            throw new ArgumentException($"The engine '{engine}' does not support the operation '{operation}'.", nameof(operation));
        }

        if (configure is not null)
        {
            _defaults[name] = configure;
        }

        var options = OptionsOf(name);
        var model = options.Model ?? name;
        CheckQueue(name, QueueNames.Job(model, options.Version));
        _models[model] = operation;
        var entry = string.Create(CultureInfo.InvariantCulture, $"Models__{_count++}__");
        gateway
            .WithEnvironment($"{entry}Name", model)
            .WithEnvironment($"{entry}Version", options.Version)
            .WithEnvironment($"{entry}Transport", "queue")
            .WithEnvironment($"{entry}Operations__0", operation.ToString())
            .WithEnvironment($"{entry}Description", description);
        if (Chart is not null)
        {
            PoolRules.Check(name, options, facts);
        }

        var pool = builder.AddProject<Projects.AgentPlatform_Worker>(name, launchProfileName: null)
            .StartDirectly()
            .WithHttpEndpoint()
            .WithHttpHealthCheck("/health")
            .WithLocalCallers()
            .ShowAsPool()
            .WithEnvironment("Model__Name", model)
            .WithEnvironment("Model__Version", options.Version)
            .WithEnvironment("Engine__Type", engine)
            .WithReference(messaging).WaitFor(messaging);
        if (Chart is not null)
        {
            var pods = _pods[name] = new WorkerPods(Chart, name, options, facts);
            messaging.WithAnnotation(pods.BrokerUser);
            pool.PublishAsKubernetesService(pods.Configure);
            gateway.PublishAsKubernetesService(service => pods.ConfigureGateway(service, entry));
        }

        return pool;
    }

    /// <summary>Adds a server to the pods of a pool if a chart is being published.</summary>
    /// <returns>False if no chart is being published, and the server has to be a container of its own.</returns>
    /// <exception cref="StartupException">The server cannot run with the pool's options.</exception>
    public bool TryAddToPods(string name, EngineServer server)
    {
        if (Chart is null)
        {
            return false;
        }

        PoolRules.Check(name, OptionsOf(name), server);
        _pods[name].Server = server;
        return true;
    }

    /// <summary>Reads the options of a pool: its defaults, overridden by the configuration.</summary>
    /// <exception cref="StartupException">An option is invalid.</exception>
    public PoolOptions OptionsOf(string name)
    {
        var section = $"{PoolOptions.Section}:{name}";
        try
        {
            return builder.ReadOptions(section, new PoolOptionsValidator(), _defaults.GetValueOrDefault(name));
        }
        catch (OptionsValidationException e)
        {
            var sentences = e.Failures.Select(failure => $"{section}:{FieldOfOptions().Replace(failure, " ")}");
            throw new StartupException(string.Join(Environment.NewLine, sentences));
        }
    }

    /// <summary>The running server that a local run uses for a pool, or null. What is published never depends on one.</summary>
    /// <exception cref="StartupException">The address is not valid.</exception>
    public Uri? ServerOf(string name) =>
        !builder.ExecutionContext.IsRunMode || OptionsOf(name).Server is not { Length: > 0 } address ? null
        : Uri.TryCreate(address, UriKind.Absolute, out var server) ? server
        : throw new StartupException($"{PoolOptions.Section}:{name}:{nameof(PoolOptions.Server)} {PoolOptions.ServerRule}");

    /// <summary>The secret parameter <c>NAME-KIND</c> of a pool, or null if it is not configured.</summary>
    public IResourceBuilder<ParameterResource>? SecretOf(string name, string kind) =>
        builder.Configuration[$"Parameters:{name}-{kind}"] is { Length: > 0 } ? builder.AddParameter($"{name}-{kind}", secret: true) : null;

    // Two pools with one queue would take each other's jobs.
    private void CheckQueue(string name, string queue)
    {
        if (!_queues.TryAdd(queue, name))
        {
            throw new StartupException(
                $"{PoolOptions.Section}:{name}:Model and {PoolOptions.Section}:{name}:Version make the queue {queue}, "
                + $"which the pool '{_queues[queue]}' has.");
        }
    }

    // "Server: must be ..." and "JobsPerReplica: The field PoolOptions.JobsPerReplica must be ..."
    [GeneratedRegex(@": (The field \S+ )?")]
    private static partial Regex FieldOfOptions();

    // A published worker has the folder at the same relative path, in its image or mounted. ONNX Runtime 1.31 sends usage data to Microsoft
    // before its API can turn that off.
    private IResourceBuilder<ProjectResource> WithModelFolder(IResourceBuilder<ProjectResource> pool, string folder)
    {
        var source = builder.ExecutionContext.IsPublishMode ? folder : Path.GetFullPath($"../{folder}", builder.AppHostDirectory);
        return pool.WithEnvironment("Model__Source", source).WithEnvironment("ORT_DISABLE_TELEMETRY", "1");
    }
}

internal static class ModelPoolsExtensions
{
    /// <summary>
    /// Creates the pools of a platform, whose jobs <paramref name="gateway"/> sends through <paramref name="messaging"/>.
    /// </summary>
    /// <param name="builder">The application.</param>
    /// <param name="gateway">The gateway.</param>
    /// <param name="messaging">The broker.</param>
    /// <param name="chart">The chart that is being published, or null.</param>
    public static ModelPools AddModelPools(
        this IDistributedApplicationBuilder builder,
        IResourceBuilder<ProjectResource> gateway,
        IResourceBuilder<IResourceWithConnectionString> messaging,
        KubernetesChart? chart = null) =>
        new(builder, gateway, messaging) { Chart = chart };
}
