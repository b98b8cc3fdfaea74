using AgentPlatform.AppHost.Broker;
using AgentPlatform.AppHost.Kubernetes.Broker;
using AgentPlatform.AppHost.Kubernetes.Chart;
using AgentPlatform.AppHost.Kubernetes.Workloads;
using AgentPlatform.AppHost.Pools;
using AgentPlatform.AppHost.Pools.Definitions;
using Aspire.Hosting;

namespace AgentPlatform.Tests.Kubernetes;

/// <summary>Charts that tests look at, published once each.</summary>
public sealed class ChartFixture : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("agentplatform-charts-");
    private Task<string>? _everyKind;

    /// <summary>The committed chart.</summary>
    public static string Committed { get; } = Path.Combine(Repository.Root, "deploy", "chart");

    /// <summary>The committed chart, and one of a platform with a pool of each kind, rendered with some values.</summary>
    internal async Task<IReadOnlyList<Chart>> AllAsync(params string[] settings) =>
        [await Chart.RenderCommittedAsync(settings), await RenderEveryKindAsync(settings)];

    /// <summary>The chart of a platform with a pool of each kind, rendered with some values.</summary>
    internal async Task<Chart> RenderEveryKindAsync(params string[] settings) => await Chart.RenderAsync(await EveryKindAsync(), settings);

    /// <summary>The folder of the chart of a platform with a pool of each kind.</summary>
    internal Task<string> EveryKindAsync() => _everyKind ??= PublishAsync(static pools =>
    {
        pools.AddVllm("llama", "meta-llama/Llama-3.1-8B-Instruct", gpus: 2, configure: pool => pool.Model = "llama-3.1");
        pools.AddOnnxChat("onnx", "models/smollm2", "In the worker, on a GPU.", pool =>
            (pool.Gpus, pool.ExecutionProvider, pool.Weights, pool.WeightsClaim) = (1, "cuda", WeightsSource.Claim, "weights"));
        pools.AddTriton("toxicity", "models/triton", ["Harmless", "Toxic"], configure: pool =>
            (pool.Weights, pool.WeightsImage, pool.GpuResource) = (WeightsSource.OciImage, "registry.example/weights:1",
                "nvidia.com/mig-1g.10gb"));
        pools.AddLlamaCpp("qwen", "models/qwen.gguf", configure: pool =>
            (pool.Weights, pool.WeightsClaim) = (WeightsSource.Claim, "weights"));
        pools.AddOllama("small", "llama3.2:3b");
        pools.AddOpenAI("gpt", "gpt-5-mini");
        pools.AddOnnxClassifier("fetched", "models/sentiment", "Fetches its weights.", pool =>
            (pool.Weights, pool.WeightsAddress, pool.WeightsSha256) =
            (WeightsSource.Download, "https://weights.example:8443/m/SHA256SUMS", new string('a', 64)));
        pools.AddAgent("agent", model: "llama", "An agent.");
    }, "--Parameters:llama-hf-token=sk-secret", "--Parameters:gpt-api-key=sk-secret");

    public void Dispose() => _folder.Delete(recursive: true);

    /// <summary>Publishes a platform with the pools that a test adds; gives the folder of its chart.</summary>
    internal async Task<string> PublishAsync(Action<ModelPools> add, params string[] settings)
    {
        var output = Path.Combine(_folder.FullName, Guid.NewGuid().ToString("N"));
        await PublishAsync(output, add, settings);
        return output;
    }

    /// <summary>Publishes into a folder.</summary>
    internal static async Task PublishAsync(string output, Action<ModelPools> add, params string[] settings)
    {
        var builder = DistributedApplication.CreateBuilder(["--operation", "publish", "--step", "publish", "--output-path", output,
            .. settings]);
        var chart = KubernetesChart.Begin(builder)!;
        var messaging = builder.AddBroker("messaging").PublishAsBroker(chart);
        var gateway = builder.AddProject<Projects.AgentPlatform_Gateway>("gateway").WithReference(messaging).WaitFor(messaging)
            .PublishAsGateway(chart);
        add(builder.AddModelPools(gateway, messaging, chart));
        await builder.Build().RunAsync();
        Assert.True(chart.IsComplete);
    }
}
