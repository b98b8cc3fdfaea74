using System.Text.Json;
using AgentPlatform.AppHost.Pools;
using AgentPlatform.AppHost.Pools.Definitions;
using AgentPlatform.AppHost.Startup;
using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;

namespace AgentPlatform.Tests.AppHost.Pools;

/// <summary>One line adds a pool and its server.</summary>
public sealed class ServerPoolsTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("agentplatform-pools-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task AddVllm_Published_IsAContainerWithTheModelAndAWorkerThatCallsIt()
    {
        var resources = await PublishAsync(pools => pools.AddVllm("llama", "meta-llama/Llama-3.1-8B-Instruct", gpus: 2));

        var server = resources.GetProperty("llama-server");
        Assert.Equal("docker.io/vllm/vllm-openai:v0.11.0", server.GetProperty("image").GetString());
        Assert.Equal(
            ["--model", "meta-llama/Llama-3.1-8B-Instruct", "--tensor-parallel-size", "2", "--allowed-media-domains", "none.invalid"],
            Strings(server.GetProperty("args")));
        Assert.Equal(
            """[{"name":"agentplatform-huggingface","target":"/root/.cache/huggingface","readOnly":false}]""",
            Compact(server.GetProperty("volumes")));
        Assert.Equal(8000, server.GetProperty("bindings").GetProperty("http").GetProperty("targetPort").GetInt32());

        var worker = resources.GetProperty("llama").GetProperty("env");
        Assert.Equal("openai", worker.GetProperty("Engine__Type").GetString());
        Assert.Equal("{llama-server.bindings.http.url}/v1", worker.GetProperty("OpenAI__Endpoint").GetString());
        Assert.Equal("meta-llama/Llama-3.1-8B-Instruct", worker.GetProperty("OpenAI__UpstreamModel").GetString());
        Assert.Equal("llama", resources.GetProperty("gateway").GetProperty("env").GetProperty("Models__0__Name").GetString());
    }

    [Fact]
    public async Task AddVllm_WithATokenInTheConfiguration_PassesItAsASecret()
    {
        var resources = await PublishAsync(
            pools => pools.AddVllm("llama", "meta-llama/Llama-3.1-8B-Instruct"), "--Parameters:llama-hf-token=hf_secret");

        var server = resources.GetProperty("llama-server").GetProperty("env");
        Assert.Equal("{llama-hf-token.value}", server.GetProperty("HF_TOKEN").GetString());
        Assert.True(resources.GetProperty("llama-hf-token").GetProperty("inputs").GetProperty("value").GetProperty("secret").GetBoolean());
        Assert.DoesNotContain("hf_secret", resources.GetRawText(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task AddLlamaCpp_Published_MountsTheFolderOfTheFile()
    {
        var resources = await PublishAsync(pools => pools.AddLlamaCpp("tiny", "models/tiny-chat/tiny-chat.gguf"));

        var server = resources.GetProperty("tiny-server");
        Assert.Equal("ghcr.io/ggml-org/llama.cpp:server", server.GetProperty("image").GetString());
        Assert.Equal(
            ["--model", "/models/tiny-chat.gguf", "--alias", "tiny", "--port", "8090", "--parallel", "4", "--host", "0.0.0.0"],
            Strings(server.GetProperty("args")));
        var mount = server.GetProperty("bindMounts")[0];
        Assert.Equal(
            Path.GetFullPath("../models/tiny-chat", DistributedApplication.CreateBuilder([]).AppHostDirectory),
            Path.GetFullPath(mount.GetProperty("source").GetString()!, _folder.FullName));
        Assert.Equal("/models", mount.GetProperty("target").GetString());
        Assert.True(mount.GetProperty("readOnly").GetBoolean());
        Assert.Equal("4", resources.GetProperty("tiny").GetProperty("env").GetProperty("Engine__Slots").GetString());
    }

    [Fact]
    public async Task AddOllama_Published_DownloadsTheModelIntoAVolume()
    {
        var resources = await PublishAsync(pools => pools.AddOllama("small", "llama3.2:3b"));

        var server = resources.GetProperty("small-server");
        Assert.Equal("/bin/sh", server.GetProperty("entrypoint").GetString());
        Assert.Equal("llama3.2:3b", Strings(server.GetProperty("args")).Last());
        Assert.Equal("/root/.ollama", server.GetProperty("volumes")[0].GetProperty("target").GetString());
        var worker = resources.GetProperty("small").GetProperty("env");
        Assert.Equal("{small-server.bindings.http.url}/v1", worker.GetProperty("OpenAI__Endpoint").GetString());
    }

    [Fact]
    public async Task AddTriton_Published_ServesTheRepositoryToAnEngineOfItsOwn()
    {
        var resources = await PublishAsync(pools => pools.AddTriton("toxicity", "models/triton", ["Harmless", "Toxic"]));

        Assert.Equal(["tritonserver", "--model-repository=/models"], Strings(resources.GetProperty("toxicity-server").GetProperty("args")));
        var worker = resources.GetProperty("toxicity").GetProperty("env");
        Assert.Equal("triton", worker.GetProperty("Engine__Type").GetString());
        Assert.Equal("{toxicity-server.bindings.http.url}", worker.GetProperty("Triton__Endpoint").GetString());
        Assert.Equal("toxicity", worker.GetProperty("Triton__ModelName").GetString());
        Assert.Equal("Harmless", worker.GetProperty("Triton__Labels__0").GetString());
        Assert.Equal("Toxic", worker.GetProperty("Triton__Labels__1").GetString());
        Assert.False(worker.TryGetProperty("Triton__Labels__2", out _));
    }

    [Fact]
    public async Task AddTriton_ForAChat_HasNoLabels()
    {
        var resources = await PublishAsync(
            pools => pools.AddTriton("writer", "models/triton", operation: ModelOperation.Chat, model: "ensemble"),
            "--Pools:writer:UpstreamModel=elsewhere");

        Assert.Equal("Chat", resources.GetProperty("gateway").GetProperty("env").GetProperty("Models__0__Operations__0").GetString());
        Assert.Equal("ensemble", resources.GetProperty("writer").GetProperty("env").GetProperty("Triton__ModelName").GetString());
        Assert.False(resources.GetProperty("writer").GetProperty("env").TryGetProperty("Triton__Labels__0", out _));
    }

    [Fact]
    public async Task AddTriton_WithARunningServer_UsesTheModelThatTheConfigurationNames()
    {
        var pools = Create(
            [
                "--Pools:toxicity:Server=http://localhost:8000",
                "--Pools:toxicity:UpstreamModel=toxicity_v2",
                "--Parameters:toxicity-api-key=sk-secret",
            ],
            hasContainers: false);

        var pool = pools.AddTriton("toxicity", "models/triton", ["Harmless", "Toxic"], model: "toxicity_v1");

        var context = new EnvironmentCallbackContext(pools.ApplicationBuilder.ExecutionContext, pool.Resource);
        foreach (var annotation in pool.Resource.Annotations.OfType<EnvironmentCallbackAnnotation>())
        {
            await annotation.Callback(context);
        }

        Assert.Equal("http://localhost:8000/", context.EnvironmentVariables["Triton__Endpoint"]);
        Assert.Equal("toxicity_v2", context.EnvironmentVariables["Triton__ModelName"]);
        Assert.Equal("toxicity-api-key", Assert.IsType<ParameterResource>(context.EnvironmentVariables["Triton__ApiKey"]).Name);
    }

    [Theory]
    [InlineData]
    [InlineData("Toxic", "")]
    public void AddTriton_ToAnalyzeWithoutALabelForEachScore_IsRefused(params string[] labels)
    {
        var pools = Create([], hasContainers: true);

        var e = Assert.Throws<StartupException>(() => pools.AddTriton("toxicity", "models/triton", labels));

        Assert.Equal(
            "The pool 'toxicity' is a classifier: give AddTriton the labels of its model's scores in their order, such as "
            + "labels: [\"Negative\", \"Positive\"], or operation: ModelOperation.Chat.",
            e.Message);
    }

    [Fact]
    public void AddTriton_ToChatWithLabels_IsRefused()
    {
        var pools = Create([], hasContainers: true);

        var e = Assert.Throws<StartupException>(() => pools.AddTriton("writer", "models/triton", ["Toxic"], ModelOperation.Chat));

        Assert.Equal("The pool 'writer' is a chat model: omit the labels of AddTriton, or use ModelOperation.Analyze.", e.Message);
    }

    [Fact]
    public async Task AddOpenAI_Published_HasNoServerAndItsKeyIsASecretParameter()
    {
        var resources = await PublishAsync(pools => pools.AddOpenAI("gpt", "gpt-5-mini"));

        Assert.False(resources.TryGetProperty("gpt-server", out _));
        var worker = resources.GetProperty("gpt").GetProperty("env");
        Assert.Equal("https://api.openai.com/v1", worker.GetProperty("OpenAI__Endpoint").GetString());
        Assert.Equal("{gpt-api-key.value}", worker.GetProperty("OpenAI__ApiKey").GetString());
        Assert.True(resources.GetProperty("gpt-api-key").GetProperty("inputs").GetProperty("value").GetProperty("secret").GetBoolean());
    }

    [Fact]
    public async Task Pools_Published_DoNotDependOnAServerOfThisMachine()
    {
        var resources = await PublishAsync(
            pools => pools.AddOnnxChat("tiny-chat", "models/tiny-chat", "Demonstration."),
            "--Pools:tiny-chat:Server=http://localhost:8081/v1");

        Assert.Equal("onnx-chat", resources.GetProperty("tiny-chat").GetProperty("env").GetProperty("Engine__Type").GetString());
    }

    [Fact]
    public void AServer_WithoutContainersAndAddress_IsRefusedWithTheRemedies()
    {
        var pools = Create([], hasContainers: false);

        var e = Assert.Throws<StartupException>(() => pools.AddVllm("llama", "meta-llama/Llama-3.1-8B-Instruct"));

        Assert.Equal(
            "The pool 'llama' needs vLLM: start Docker (25.0 or newer) or Podman, "
            + "or set Pools:llama:Server to the address of a running vLLM, such as http://localhost:8000/v1.",
            e.Message);
    }

    [Theory]
    [InlineData("ftp://localhost")]
    [InlineData("localhost:8000")]
    [InlineData("http://localhost:port/v1")]
    [InlineData("http:///v1")]
    public void AServer_WithAWrongAddress_IsRefusedWithItsKey(string address)
    {
        var pools = Create([$"--Pools:llama:Server={address}"], hasContainers: false);

        var e = Assert.Throws<StartupException>(() => pools.AddVllm("llama", "meta-llama/Llama-3.1-8B-Instruct"));

        Assert.Equal("Pools:llama:Server must be the base address of a running server, such as http://localhost:8000/v1.", e.Message);
    }

    private static ModelPools Create(string[] arguments, bool hasContainers)
    {
        var builder = DistributedApplication.CreateBuilder(arguments);
        var gateway = builder.AddProject<Projects.AgentPlatform_Gateway>("gateway");
        return new ModelPools(builder, gateway, builder.AddRabbitMQ("messaging")) { HasContainers = () => hasContainers };
    }

    private async Task<JsonElement> PublishAsync(Action<ModelPools> add, params string[] settings)
    {
        var path = Path.Combine(_folder.FullName, "aspire-manifest.json");
        var pools = Create(["--publisher", "manifest", "--output-path", path, .. settings], hasContainers: false);
        add(pools);
        await pools.ApplicationBuilder.Build().RunAsync();
        using var manifest = JsonDocument.Parse(await File.ReadAllTextAsync(path));
        return manifest.RootElement.GetProperty("resources").Clone();
    }

    private static IEnumerable<string?> Strings(JsonElement array) => array.EnumerateArray().Select(item => item.GetString());

    private static string Compact(JsonElement value) => JsonSerializer.Serialize(value);
}
