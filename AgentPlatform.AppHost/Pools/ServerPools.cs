using System.Globalization;
using AgentPlatform.AppHost.Startup;

namespace AgentPlatform.AppHost.Pools;

/// <summary>
/// Pools whose model runs in a server beside the workers, one line each. Published, the server is a container: in a chart, one in each worker's
/// pod. A local run uses the running server that <c>Pools:NAME:Server</c> names, and otherwise a container, if Docker or Podman answers.
/// </summary>
internal static class ServerPools
{
    /// <summary>A pool answered by OpenAI, or by another provider's API of the same shape. The key is the secret parameter <c>NAME-api-key</c>.</summary>
    /// <param name="pools">The platform's pools.</param>
    /// <param name="name">Name by which clients ask for the model.</param>
    /// <param name="model">The provider's name of the model.</param>
    /// <param name="endpoint">The provider's base address, with the version.</param>
    /// <param name="configure">Sets options of the pool, which the configuration can override.</param>
    public static IResourceBuilder<ProjectResource> AddOpenAI(
        this ModelPools pools, string name, string model, string endpoint = "https://api.openai.com/v1", Action<PoolOptions>? configure = null) =>
        pools.Add(name, EngineType.OpenAI, ModelOperation.Chat, $"{model} by {new Uri(endpoint).Host}.", configure)
            .WithEnvironment("OpenAI__Endpoint", pools.ServerOf(name)?.ToString() ?? endpoint)
            .WithEnvironment("OpenAI__UpstreamModel", pools.OptionsOf(name).UpstreamModel ?? model)
            .WithEnvironment("OpenAI__ApiKey", pools.ApplicationBuilder.AddParameter($"{name}-api-key", secret: true));

    /// <summary>A pool answered by vLLM on GPUs, which fetches the model from Hugging Face into a volume at its first start.</summary>
    /// <param name="pools">The platform's pools.</param>
    /// <param name="name">Name by which clients ask for the model.</param>
    /// <param name="model">The model's name at Hugging Face, such as <c>meta-llama/Llama-3.1-8B-Instruct</c>. The parameter <c>NAME-hf-token</c>, if configured, opens gated ones.</param>
    /// <param name="gpus">Over how many GPUs the model is split.</param>
    /// <param name="tag">Version of the image.</param>
    /// <param name="configure">Sets options of the pool, which the configuration can override.</param>
    public static IResourceBuilder<ProjectResource> AddVllm(
        this ModelPools pools, string name, string model, int gpus = 1, string tag = "v0.11.0", Action<PoolOptions>? configure = null) =>
        pools.AddChatServer(name, $"{model} on vLLM.", upstreamModel: model, gpus, configure, options => new EngineServer("vLLM", "docker.io/vllm/vllm-openai", tag, Port: 8000, "/health", "OpenAI__Endpoint", "/v1")
        {
            // A message may name the address of an image, which the server would fetch from wherever it reaches.
            Args =
            [
                "--model", model, "--tensor-parallel-size", Text(options.Gpus),
                "--allowed-media-domains", .. options.MediaDomains is { Count: > 0 } domains ? domains : ["none.invalid"],
            ],
            Variables = new Dictionary<string, string> { ["VLLM_MEDIA_URL_ALLOW_REDIRECTS"] = "0" },
            LoopbackArgs = ["--host", "127.0.0.1"],
            HealthCommand = ["python3", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/health', timeout=5)"],
            Cache = ("agentplatform-huggingface", "/root/.cache/huggingface"),
            NeedsGpu = true,
            SharesMemory = true,
            Secrets = pools.SecretOf(name, "hf-token") is { } token ? new Dictionary<string, IResourceBuilder<ParameterResource>> { ["HF_TOKEN"] = token } : [],
        });

    /// <summary>A pool answered by llama.cpp's <c>llama-server</c>.</summary>
    /// <param name="pools">The platform's pools.</param>
    /// <param name="name">Name by which clients ask for the model.</param>
    /// <param name="file">The GGUF file, relative to this repository; in a cluster, its name in the pool's volume of weights.</param>
    /// <param name="gpus">GPUs that it may use; none makes it compute on the CPU.</param>
    /// <param name="slots">Requests that it runs at once; they share the context.</param>
    /// <param name="tag">Version of the image; by default the newest of the kind that fits <paramref name="gpus"/>.</param>
    /// <param name="configure">Sets options of the pool, which the configuration can override.</param>
    public static IResourceBuilder<ProjectResource> AddLlamaCpp(
        this ModelPools pools, string name, string file, int gpus = 0, int slots = 4, string? tag = null, Action<PoolOptions>? configure = null) =>
        pools.AddChatServer(
            name, $"{Path.GetFileNameWithoutExtension(file)} on llama.cpp.", upstreamModel: name, gpus, configure,
            options => new EngineServer("llama.cpp", "ghcr.io/ggml-org/llama.cpp", tag ?? (options.Gpus > 0 ? "server-cuda" : "server"), Port: 8090, "/health", "OpenAI__Endpoint", "/v1")
            {
                // Another port than the worker's, whose pod it shares.
                Args =
                [
                    "--model", $"/models/{Path.GetFileName(file)}", "--alias", name, "--port", "8090", "--parallel", Text(slots),
                    .. options.Gpus > 0 ? ["--n-gpu-layers", "999"] : Array.Empty<string>(),
                ],
                OpenArgs = ["--host", "0.0.0.0"],
                LoopbackArgs = ["--host", "127.0.0.1"],
                HealthCommand = ["curl", "--fail", "--silent", "--output", "/dev/null", "http://127.0.0.1:8090/health"],
                ModelFolder = Path.GetDirectoryName(file),
            })
            .WithEnvironment("Engine__Slots", Text(slots));

    /// <summary>A pool answered by Ollama, which fetches the model into a volume at its first start.</summary>
    /// <param name="pools">The platform's pools.</param>
    /// <param name="name">Name by which clients ask for the model.</param>
    /// <param name="model">Ollama's name of the model, such as <c>llama3.2:3b</c>.</param>
    /// <param name="gpus">GPUs that it may use; none makes it compute on the CPU.</param>
    /// <param name="tag">Version of the image.</param>
    /// <param name="configure">Sets options of the pool, which the configuration can override.</param>
    public static IResourceBuilder<ProjectResource> AddOllama(
        this ModelPools pools, string name, string model, int gpus = 0, string tag = "0.12.6", Action<PoolOptions>? configure = null) =>
        pools.AddChatServer(name, $"{model} on Ollama.", upstreamModel: model, gpus, configure, _ => new EngineServer("Ollama", "docker.io/ollama/ollama", tag, Port: 11434, "/", "OpenAI__Endpoint", "/v1")
        {
            // The server runs no model that it was not told to fetch. $0 is the model's name.
            Entrypoint = "/bin/sh",
            Args = ["-c", "ollama serve & server=$!; until ollama list >/dev/null 2>&1; do sleep 1; done; ollama pull \"$0\" || exit 1; wait $server", model],
            LoopbackVariables = new Dictionary<string, string> { ["OLLAMA_HOST"] = "127.0.0.1:11434" },
            HealthCommand = ["ollama", "show", model],
            Cache = ("agentplatform-ollama", "/root/.ollama"),
        });

    /// <summary>A pool answered by NVIDIA Triton, from a model repository of this repository.</summary>
    /// <param name="pools">The platform's pools.</param>
    /// <param name="name">Name by which clients ask for the model.</param>
    /// <param name="repository">Folder of Triton's model repository, relative to this repository; in a cluster, the pool's volume of weights.</param>
    /// <param name="labels">What the model's scores stand for, in their order. A model that analyzes has them, one that chats has none.</param>
    /// <param name="operation">What the model is asked.</param>
    /// <param name="model">The model's name in that folder; the pool's name if null.</param>
    /// <param name="gpus">GPUs that it may use; none makes it compute on the CPU.</param>
    /// <param name="tag">Version of the image.</param>
    /// <param name="configure">Sets options of the pool, which the configuration can override.</param>
    /// <exception cref="StartupException">Labels are missing, or there are some for a chat.</exception>
    public static IResourceBuilder<ProjectResource> AddTriton(
        this ModelPools pools, string name, string repository, IReadOnlyList<string>? labels = null, ModelOperation operation = ModelOperation.Analyze, string? model = null, int gpus = 1,
        string tag = "25.09-py3", Action<PoolOptions>? configure = null)
    {
        CheckLabels(name, labels ?? [], operation);
        var address = pools.ServerOf(name);
        var upstreamModel = (address is null ? null : pools.OptionsOf(name).UpstreamModel) ?? model ?? name;
        var pool = pools.Add(name, EngineType.Triton, operation, $"{upstreamModel} on Triton.", WithGpus(gpus, configure)).WithEnvironment("Triton__ModelName", upstreamModel);
        foreach (var (index, label) in (labels ?? []).Index())
        {
            pool.WithEnvironment($"Triton__Labels__{Text(index)}", label);
        }

        if (address is null)
        {
            return pool.WithServer(pools, new EngineServer("Triton", "nvcr.io/nvidia/tritonserver", tag, Port: 8000, "/v2/health/ready", "Triton__Endpoint", "")
            {
                Args = ["tritonserver", "--model-repository=/models"],
                LoopbackArgs = ["--http-address=127.0.0.1", "--grpc-address=127.0.0.1", "--metrics-address=127.0.0.1"],
                HealthCommand = ["curl", "--fail", "--silent", "--output", "/dev/null", "http://127.0.0.1:8000/v2/health/ready"],
                ModelFolder = repository,
                SharesMemory = true,
            });
        }

        pool.WithEnvironment("Triton__Endpoint", address.ToString());
        return pools.SecretOf(name, "api-key") is { } key ? pool.WithEnvironment("Triton__ApiKey", key) : pool;
    }

    // The worker takes a model with labels for a classifier, and one without for one that chats.
    private static void CheckLabels(string name, IReadOnlyList<string> labels, ModelOperation operation)
    {
        if (operation == ModelOperation.Analyze != labels.Count > 0 || labels.Any(string.IsNullOrWhiteSpace))
        {
            throw new StartupException(operation == ModelOperation.Analyze
                ? $"The pool '{name}' is to analyze: give AddTriton the labels of its model's scores in their order, such as labels: [\"Negative\", \"Positive\"], or operation: ModelOperation.Chat."
                : $"The pool '{name}' is to chat: leave the labels of AddTriton away, or ask it for ModelOperation.Analyze.");
        }
    }

    private static IResourceBuilder<ProjectResource> AddChatServer(
        this ModelPools pools, string name, string description, string upstreamModel, int gpus, Action<PoolOptions>? configure, Func<PoolOptions, EngineServer> server) =>
        pools.ServerOf(name) is { } address
            ? pools.AddOpenAIServer(name, address, description, upstreamModel)
            : pools.Add(name, EngineType.OpenAI, ModelOperation.Chat, description, WithGpus(gpus, configure))
                .WithEnvironment("OpenAI__UpstreamModel", upstreamModel)
                .WithServer(pools, server(pools.OptionsOf(name)));

    private static Action<PoolOptions> WithGpus(int gpus, Action<PoolOptions>? configure) => options =>
    {
        options.Gpus = gpus;
        configure?.Invoke(options);
    };

    /// <summary>Puts the server beside the pool, whose setting gets its address.</summary>
    private static IResourceBuilder<ProjectResource> WithServer(this IResourceBuilder<ProjectResource> pool, ModelPools pools, EngineServer engine)
    {
        var name = pool.Resource.Name;
        var builder = pools.ApplicationBuilder;
        if (builder.ExecutionContext.IsRunMode && !pools.HasContainers())
        {
            throw new StartupException(
                $"The pool '{name}' needs {engine.Product}: start Docker (25.0 or newer) or Podman, or set Pools:{name}:Server to the address of a running {engine.Product}, "
                + $"such as http://localhost:{Text(engine.Port)}{engine.Path}.");
        }

        if (pools.PutBeside(name, engine))
        {
            return pool.WithEnvironment(engine.Variable, $"http://localhost:{Text(engine.Port)}{engine.Path}");
        }

        var server = builder.AddContainer($"{name}-server", engine.Image, engine.Tag)
            .WithHttpEndpoint(targetPort: engine.Port)
            .WithHttpHealthCheck(engine.HealthPath);
        Configure(server, engine, pools.OptionsOf(name));
        var endpoint = server.GetEndpoint("http");
        return pool.WithEnvironment(engine.Variable, ReferenceExpression.Create($"{endpoint}{engine.Path}")).WaitFor(server);
    }

    private static void Configure(IResourceBuilder<ContainerResource> server, EngineServer engine, PoolOptions options)
    {
        server.WithLifetime(options.Lifetime);
        if (engine.Entrypoint is { } entrypoint)
        {
            server.WithEntrypoint(entrypoint);
        }

        server.WithArgs([.. engine.Args, .. engine.OpenArgs]);
        if (engine.ModelFolder is { } folder)
        {
            server.WithBindMount($"../{folder}", "/models", isReadOnly: true);
        }

        if (engine.Cache is { } cache)
        {
            server.WithVolume(cache.Volume, cache.Target);
        }

        if (options.Gpus > 0)
        {
            server.WithContainerRuntimeArgs("--gpus", Text(options.Gpus));
        }

        if (engine.SharesMemory)
        {
            server.WithContainerRuntimeArgs("--ipc=host");
        }

        foreach (var (variable, value) in engine.Variables)
        {
            server.WithEnvironment(variable, value);
        }

        foreach (var (variable, secret) in engine.Secrets)
        {
            server.WithEnvironment(variable, secret);
        }
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
