using System.Globalization;
using AgentPlatform.AppHost.Models;
using AgentPlatform.AppHost.Startup;

namespace AgentPlatform.AppHost.Servers;

/// <summary>
/// Pools whose model runs in a server beside the workers, one line each. Published, the server is a container. A local run uses the running server
/// that <c>Pools:NAME:Server</c> names, and otherwise a container, if Docker or Podman answers.
/// </summary>
internal static class ServerPools
{
    /// <summary>A pool answered by OpenAI, or by another provider's API of the same shape. The key is the secret parameter <c>NAME-api-key</c>.</summary>
    /// <param name="pools">The platform's pools.</param>
    /// <param name="name">Name by which clients ask for the model.</param>
    /// <param name="model">The provider's name of the model.</param>
    /// <param name="endpoint">The provider's base address, with the version.</param>
    public static IResourceBuilder<ProjectResource> AddOpenAI(this ModelPools pools, string name, string model, string endpoint = "https://api.openai.com/v1") =>
        pools.Add(name, EngineType.OpenAI, ModelOperation.Chat, $"{model} by {new Uri(endpoint).Host}.")
            .WithEnvironment("OpenAI__Endpoint", pools.ServerOf(name)?.ToString() ?? endpoint)
            .WithEnvironment("OpenAI__UpstreamModel", pools.OptionsOf(name).UpstreamModel ?? model)
            .WithEnvironment("OpenAI__ApiKey", pools.ApplicationBuilder.AddParameter($"{name}-api-key", secret: true));

    /// <summary>A pool answered by vLLM on GPUs, which fetches the model from Hugging Face into a volume at its first start.</summary>
    /// <param name="pools">The platform's pools.</param>
    /// <param name="name">Name by which clients ask for the model.</param>
    /// <param name="model">The model's name at Hugging Face, such as <c>meta-llama/Llama-3.1-8B-Instruct</c>. The parameter <c>NAME-hf-token</c>, if configured, opens gated ones.</param>
    /// <param name="gpus">Over how many GPUs the model is split.</param>
    /// <param name="tag">Version of the image.</param>
    public static IResourceBuilder<ProjectResource> AddVllm(this ModelPools pools, string name, string model, int gpus = 1, string tag = "v0.11.0") =>
        pools.AddChatServer(name, $"{model} on vLLM.", upstreamModel: model, "vLLM", new ServerImage("docker.io/vllm/vllm-openai", tag, Port: 8000, "/health"), server =>
        {
            server.WithArgs("--model", model, "--tensor-parallel-size", gpus.ToString(CultureInfo.InvariantCulture))
                .WithVolume("agentplatform-huggingface", "/root/.cache/huggingface")
                .WithGpus(gpus)

                // Its processes share tensors in /dev/shm, of which a container has 64 MB.
                .WithContainerRuntimeArgs("--ipc=host");
            if (pools.SecretOf(name, "hf-token") is { } token)
            {
                server.WithEnvironment("HF_TOKEN", token);
            }
        });

    /// <summary>A pool answered by llama.cpp's <c>llama-server</c>.</summary>
    /// <param name="pools">The platform's pools.</param>
    /// <param name="name">Name by which clients ask for the model.</param>
    /// <param name="file">The GGUF file, relative to this repository.</param>
    /// <param name="gpus">GPUs that it may use; none makes it compute on the CPU.</param>
    /// <param name="slots">Requests that it runs at once; they share the context.</param>
    /// <param name="tag">Version of the image; by default the newest of the kind that fits <paramref name="gpus"/>.</param>
    public static IResourceBuilder<ProjectResource> AddLlamaCpp(this ModelPools pools, string name, string file, int gpus = 0, int slots = 4, string? tag = null) =>
        pools.AddChatServer(
            name, $"{Path.GetFileNameWithoutExtension(file)} on llama.cpp.", upstreamModel: name, "llama.cpp",
            new ServerImage("ghcr.io/ggml-org/llama.cpp", tag ?? (gpus > 0 ? "server-cuda" : "server"), Port: 8080, "/health"), server =>
            {
                server.WithArgs(
                        "--model", $"/models/{Path.GetFileName(file)}", "--alias", name, "--host", "0.0.0.0", "--port", "8080",
                        "--parallel", slots.ToString(CultureInfo.InvariantCulture))
                    .WithBindMount($"../{Path.GetDirectoryName(file)}", "/models", isReadOnly: true)
                    .WithGpus(gpus);
                if (gpus > 0)
                {
                    server.WithArgs("--n-gpu-layers", "999");
                }
            })
            .WithEnvironment("Engine__Slots", slots.ToString(CultureInfo.InvariantCulture));

    /// <summary>A pool answered by Ollama, which fetches the model into a volume at its first start.</summary>
    /// <param name="pools">The platform's pools.</param>
    /// <param name="name">Name by which clients ask for the model.</param>
    /// <param name="model">Ollama's name of the model, such as <c>llama3.2:3b</c>.</param>
    /// <param name="gpus">GPUs that it may use; none makes it compute on the CPU.</param>
    /// <param name="tag">Version of the image.</param>
    public static IResourceBuilder<ProjectResource> AddOllama(this ModelPools pools, string name, string model, int gpus = 0, string tag = "0.12.6") =>
        pools.AddChatServer(name, $"{model} on Ollama.", upstreamModel: model, "Ollama", new ServerImage("docker.io/ollama/ollama", tag, Port: 11434, "/"), server =>
        {
            // The server runs no model that it was not told to fetch. $0 is the model's name.
            server.WithEntrypoint("/bin/sh")
                .WithArgs("-c", "ollama serve & server=$!; until ollama list >/dev/null 2>&1; do sleep 1; done; ollama pull \"$0\" || exit 1; wait $server", model)
                .WithVolume("agentplatform-ollama", "/root/.ollama")
                .WithGpus(gpus);
        });

    /// <summary>A pool answered by NVIDIA Triton, from a model repository of this repository.</summary>
    /// <param name="pools">The platform's pools.</param>
    /// <param name="name">Name by which clients ask for the model.</param>
    /// <param name="repository">Folder of Triton's model repository, relative to this repository.</param>
    /// <param name="operation">What the model is asked.</param>
    /// <param name="model">The model's name in that folder; the pool's name if null.</param>
    /// <param name="gpus">GPUs that it may use; none makes it compute on the CPU.</param>
    /// <param name="tag">Version of the image.</param>
    public static IResourceBuilder<ProjectResource> AddTriton(
        this ModelPools pools, string name, string repository, ModelOperation operation = ModelOperation.Analyze, string? model = null, int gpus = 1, string tag = "25.09-py3")
    {
        var pool = pools.Add(name, EngineType.Triton, operation, $"{model ?? name} on Triton.").WithEnvironment("Triton__ModelName", model ?? name);
        var image = new ServerImage("nvcr.io/nvidia/tritonserver", tag, Port: 8000, "/v2/health/ready");
        return pools.ServerOf(name) is { } address
            ? pool.WithEnvironment("Triton__Endpoint", address.ToString())
            : pool.WithServer(pools, "Triton", image, "Triton__Endpoint", path: "", server =>
                server.WithArgs("tritonserver", "--model-repository=/models").WithBindMount($"../{repository}", "/models", isReadOnly: true).WithGpus(gpus));
    }

    private static IResourceBuilder<ProjectResource> AddChatServer(
        this ModelPools pools, string name, string description, string upstreamModel, string product, ServerImage image, Action<IResourceBuilder<ContainerResource>> configure) =>
        pools.ServerOf(name) is { } address
            ? pools.AddOpenAIServer(name, address, description, upstreamModel)
            : pools.Add(name, EngineType.OpenAI, ModelOperation.Chat, description)
                .WithEnvironment("OpenAI__UpstreamModel", upstreamModel)
                .WithServer(pools, product, image, "OpenAI__Endpoint", path: "/v1", configure);

    /// <summary>Puts the server's container beside the pool, whose setting <paramref name="variable"/> gets its address.</summary>
    private static IResourceBuilder<ProjectResource> WithServer(
        this IResourceBuilder<ProjectResource> pool, ModelPools pools, string product, ServerImage image, string variable, string path, Action<IResourceBuilder<ContainerResource>> configure)
    {
        var name = pool.Resource.Name;
        var builder = pools.ApplicationBuilder;
        if (builder.ExecutionContext.IsRunMode && !pools.HasContainers())
        {
            throw new StartupException(
                $"The pool '{name}' needs {product}: start Docker (25.0 or newer) or Podman, or set Pools:{name}:Server to the address of a running {product}, "
                + $"such as http://localhost:{image.Port.ToString(CultureInfo.InvariantCulture)}{path}.");
        }

        var server = builder.AddContainer($"{name}-server", image.Name, image.Tag)
            .WithHttpEndpoint(targetPort: image.Port)
            .WithHttpHealthCheck(image.HealthPath);
        configure(server);
        var endpoint = server.GetEndpoint("http");
        return pool.WithEnvironment(variable, ReferenceExpression.Create($"{endpoint}{path}")).WaitFor(server);
    }

    private static IResourceBuilder<ContainerResource> WithGpus(this IResourceBuilder<ContainerResource> server, int gpus) =>
        gpus > 0 ? server.WithContainerRuntimeArgs("--gpus", gpus.ToString(CultureInfo.InvariantCulture)) : server;

    private sealed record ServerImage(string Name, string Tag, int Port, string HealthPath);
}
