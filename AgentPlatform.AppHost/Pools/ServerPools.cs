using System.Globalization;
using AgentPlatform.AppHost.Startup;

namespace AgentPlatform.AppHost.Pools;

/// <summary>
/// Adds pools whose model runs in a server beside the workers, one line each. Published, the server is a container, in a chart one in each
/// worker's pod. A local run uses the running server that <c>Pools:NAME:Server</c> names, or else starts a container with Docker or Podman.
/// </summary>
internal static class ServerPools
{
    /// <summary>
    /// Adds a pool that calls OpenAI, or another provider with the same API. The secret parameter <c>NAME-api-key</c> is the API key.
    /// </summary>
    /// <param name="pools">The platform's pools.</param>
    /// <param name="name">Name of the model for clients.</param>
    /// <param name="model">The provider's name of the model.</param>
    /// <param name="endpoint">The provider's base address, with the version.</param>
    /// <param name="configure">Sets options of the pool, which the configuration can override.</param>
    public static IResourceBuilder<ProjectResource> AddOpenAI(
        this ModelPools pools,
        string name,
        string model,
        string endpoint = "https://api.openai.com/v1",
        Action<PoolOptions>? configure = null) =>
        pools.Add(name, EngineType.OpenAI, ModelOperation.Chat, $"{model} by {new Uri(endpoint).Host}.", configure)
            .WithEnvironment("OpenAI__Endpoint", pools.ServerOf(name)?.ToString() ?? endpoint)
            .WithEnvironment("OpenAI__UpstreamModel", pools.OptionsOf(name).UpstreamModel ?? model)
            .WithEnvironment("OpenAI__ApiKey", pools.ApplicationBuilder.AddParameter($"{name}-api-key", secret: true));

    /// <summary>
    /// Adds a pool with vLLM on GPUs, which downloads the model from Hugging Face into a volume at its first start. The parameter
    /// <c>NAME-hf-token</c>, if configured, is the token for gated models.
    /// </summary>
    /// <param name="pools">The platform's pools.</param>
    /// <param name="name">Name of the model for clients.</param>
    /// <param name="model">Name of the model at Hugging Face, such as <c>meta-llama/Llama-3.1-8B-Instruct</c>.</param>
    /// <param name="gpus">Number of GPUs that the model is split over.</param>
    /// <param name="tag">Tag of the image.</param>
    /// <param name="configure">Sets options of the pool, which the configuration can override.</param>
    public static IResourceBuilder<ProjectResource> AddVllm(
        this ModelPools pools, string name, string model, int gpus = 1, string tag = "v0.11.0", Action<PoolOptions>? configure = null)
    {
        return pools.AddChatServer(name, $"{model} on vLLM.", upstreamModel: model, gpus, configure, Server);

        EngineServer Server(PoolOptions options) =>
            new("vLLM", "docker.io/vllm/vllm-openai", tag, Port: 8000, "/health", "OpenAI__Endpoint", "/v1")
            {
                // A message may contain the address of an image, which the server would download from wherever it can connect to.
                Args =
                [
                    "--model", model, "--tensor-parallel-size", Text(options.Gpus),
                    "--allowed-media-domains", .. options.MediaDomains is { Count: > 0 } domains ? domains : ["none.invalid"],
                ],
                Variables = new Dictionary<string, string> { ["VLLM_MEDIA_URL_ALLOW_REDIRECTS"] = "0" },
                LoopbackArgs = ["--host", "127.0.0.1"],
                HealthCommand =
                [
                    "python3", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/health', timeout=5)",
                ],
                Cache = ("agentplatform-huggingface", "/root/.cache/huggingface"),
                NeedsGpu = true,
                SharesMemory = true,
                Secrets = pools.SecretOf(name, "hf-token") is { } token
                    ? new Dictionary<string, IResourceBuilder<ParameterResource>> { ["HF_TOKEN"] = token } : [],
            };
    }

    /// <summary>Adds a pool with llama.cpp's <c>llama-server</c>.</summary>
    /// <param name="pools">The platform's pools.</param>
    /// <param name="name">Name of the model for clients.</param>
    /// <param name="file">The GGUF file, relative to this repository; in a cluster, its name in the pool's volume of weights.</param>
    /// <param name="gpus">Number of GPUs; with 0 it runs on the CPU.</param>
    /// <param name="slots">Number of requests that it runs concurrently; they share the context.</param>
    /// <param name="tag">Tag of the image; by default the latest one with CUDA, or without it if <paramref name="gpus"/> is 0.</param>
    /// <param name="configure">Sets options of the pool, which the configuration can override.</param>
    public static IResourceBuilder<ProjectResource> AddLlamaCpp(
        this ModelPools pools,
        string name,
        string file,
        int gpus = 0,
        int slots = 4,
        string? tag = null,
        Action<PoolOptions>? configure = null)
    {
        var description = $"{Path.GetFileNameWithoutExtension(file)} on llama.cpp.";
        return pools.AddChatServer(name, description, upstreamModel: name, gpus, configure, Server)
            .WithEnvironment("Engine__Slots", Text(slots));

        EngineServer Server(PoolOptions options)
        {
            var imageTag = tag ?? (options.Gpus > 0 ? "server-cuda" : "server");
            return new("llama.cpp", "ghcr.io/ggml-org/llama.cpp", imageTag, Port: 8090, "/health", "OpenAI__Endpoint", "/v1")
            {
                // Its default port is the worker's, which runs in the same pod.
                Args =
                [
                    "--model", $"/models/{Path.GetFileName(file)}", "--alias", name, "--port", "8090", "--parallel", Text(slots),
                    .. options.Gpus > 0 ? ["--n-gpu-layers", "999"] : Array.Empty<string>(),
                ],
                AllInterfacesArgs = ["--host", "0.0.0.0"],
                LoopbackArgs = ["--host", "127.0.0.1"],
                HealthCommand = ["curl", "--fail", "--silent", "--output", "/dev/null", "http://127.0.0.1:8090/health"],
                ModelFolder = Path.GetDirectoryName(file),
            };
        }
    }

    /// <summary>Adds a pool with Ollama, which downloads the model into a volume at its first start.</summary>
    /// <param name="pools">The platform's pools.</param>
    /// <param name="name">Name of the model for clients.</param>
    /// <param name="model">Ollama's name of the model, such as <c>llama3.2:3b</c>.</param>
    /// <param name="gpus">Number of GPUs; with 0 it runs on the CPU.</param>
    /// <param name="tag">Tag of the image.</param>
    /// <param name="configure">Sets options of the pool, which the configuration can override.</param>
    public static IResourceBuilder<ProjectResource> AddOllama(
        this ModelPools pools, string name, string model, int gpus = 0, string tag = "0.12.6", Action<PoolOptions>? configure = null)
    {
        // Serves, waits until the server answers, and downloads the model, which $0 names.
        const string Script = "ollama serve & server=$!; until ollama list >/dev/null 2>&1; do sleep 1; done; "
            + "ollama pull \"$0\" || exit 1; wait $server";
        return pools.AddChatServer(name, $"{model} on Ollama.", upstreamModel: model, gpus, configure, _ => Server());

        EngineServer Server() => new("Ollama", "docker.io/ollama/ollama", tag, Port: 11434, "/", "OpenAI__Endpoint", "/v1")
        {
            Entrypoint = "/bin/sh",
            Args = ["-c", Script, model],
            LoopbackVariables = new Dictionary<string, string> { ["OLLAMA_HOST"] = "127.0.0.1:11434" },
            HealthCommand = ["ollama", "show", model],
            Cache = ("agentplatform-ollama", "/root/.ollama"),
        };
    }

    /// <summary>Adds a pool with NVIDIA Triton, which loads a model repository.</summary>
    /// <param name="pools">The platform's pools.</param>
    /// <param name="name">Name of the model for clients.</param>
    /// <param name="repository">
    /// Folder of Triton's model repository, relative to this repository; in a cluster, the pool's volume of weights.
    /// </param>
    /// <param name="labels">Labels of the model's scores, in their order; required for <see cref="ModelOperation.Analyze"/> only.</param>
    /// <param name="operation">Operation of the model.</param>
    /// <param name="model">Name of the model in that folder; the pool's name if null.</param>
    /// <param name="gpus">Number of GPUs; with 0 it runs on the CPU.</param>
    /// <param name="tag">Tag of the image.</param>
    /// <param name="configure">Sets options of the pool, which the configuration can override.</param>
    /// <exception cref="StartupException">Labels are missing, or there are labels for a chat model.</exception>
    public static IResourceBuilder<ProjectResource> AddTriton(
        this ModelPools pools,
        string name,
        string repository,
        IReadOnlyList<string>? labels = null,
        ModelOperation operation = ModelOperation.Analyze,
        string? model = null,
        int gpus = 1,
        string tag = "25.09-py3",
        Action<PoolOptions>? configure = null)
    {
        CheckLabels(name, labels ?? [], operation);
        var address = pools.ServerOf(name);
        var upstreamModel = (address is null ? null : pools.OptionsOf(name).UpstreamModel) ?? model ?? name;
        var pool = pools.Add(name, EngineType.Triton, operation, $"{upstreamModel} on Triton.", WithGpus(gpus, configure))
            .WithEnvironment("Triton__ModelName", upstreamModel);
        foreach (var (index, label) in (labels ?? []).Index())
        {
            pool.WithEnvironment($"Triton__Labels__{Text(index)}", label);
        }

        if (address is null)
        {
            return pool.WithServer(pools, Triton(repository, tag));
        }

        pool.WithEnvironment("Triton__Endpoint", address.ToString());
        return pools.SecretOf(name, "api-key") is { } key ? pool.WithEnvironment("Triton__ApiKey", key) : pool;
    }

    private static EngineServer Triton(string repository, string tag) =>
        new("Triton", "nvcr.io/nvidia/tritonserver", tag, Port: 8000, "/v2/health/ready", "Triton__Endpoint", "")
        {
            Args = ["tritonserver", "--model-repository=/models"],
            LoopbackArgs = ["--http-address=127.0.0.1", "--grpc-address=127.0.0.1", "--metrics-address=127.0.0.1"],
            HealthCommand = ["curl", "--fail", "--silent", "--output", "/dev/null", "http://127.0.0.1:8000/v2/health/ready"],
            ModelFolder = repository,
            SharesMemory = true,
        };

    // The worker's engine is a classifier if it has labels, and a chat model if not.
    private static void CheckLabels(string name, IReadOnlyList<string> labels, ModelOperation operation)
    {
        if (operation == ModelOperation.Analyze != labels.Count > 0 || labels.Any(string.IsNullOrWhiteSpace))
        {
            throw new StartupException(operation == ModelOperation.Analyze
                ? $"The pool '{name}' is a classifier: give AddTriton the labels of its model's scores in their order, such as "
                    + "labels: [\"Negative\", \"Positive\"], or operation: ModelOperation.Chat."
                : $"The pool '{name}' is a chat model: omit the labels of AddTriton, or use ModelOperation.Analyze.");
        }
    }

    private static IResourceBuilder<ProjectResource> AddChatServer(
        this ModelPools pools,
        string name,
        string description,
        string upstreamModel,
        int gpus,
        Action<PoolOptions>? configure,
        Func<PoolOptions, EngineServer> server) =>
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

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
