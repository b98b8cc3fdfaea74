using AgentPlatform.AppHost.Pools;
using AgentPlatform.AppHost.Startup;
using AgentPlatform.Tests.AppHost;

namespace AgentPlatform.Tests.Kubernetes;

/// <summary>What does not go together is refused in one sentence that names pool and option, and nothing is written.</summary>
public sealed class PoolRulesTests : IDisposable
{
    private readonly string _folder = Path.Combine(Path.GetTempPath(), $"agentplatform-rules-{Guid.NewGuid():N}");

    public void Dispose()
    {
        if (Directory.Exists(_folder))
        {
            Directory.Delete(_folder, recursive: true);
        }
    }

    [Theory]
    [InlineData("Pools:chat:MinReplicas is 6, above Pools:chat:MaxReplicas (5).", "--Pools:chat:MinReplicas=6")]
    [InlineData("Pools:chat:ExecutionProvider is cuda, and Pools:chat:Gpus is 0.", "--Pools:chat:ExecutionProvider=cuda")]
    [InlineData("Pools:chat:Gpus is 1, and Pools:chat:ExecutionProvider is cpu: nothing would use them.", "--Pools:chat:Gpus=1")]
    [InlineData("Pools:chat:GracePeriod is 00:01:00, not above the 00:01:05 that Pools:chat:DrainTimeout and the pause before it take.",
        "--Pools:chat:GracePeriod=00:01:00")]
    [InlineData("Pools:chat:Weights is Download: Pools:chat:WeightsAddress and Pools:chat:WeightsSha256 must be set.",
        "--Pools:chat:Weights=Download")]
    [InlineData("Pools:chat:Weights is Claim: Pools:chat:WeightsClaim must name a PersistentVolumeClaim.", "--Pools:chat:Weights=Claim")]
    [InlineData("Pools:chat:Weights is OciImage: Pools:chat:WeightsImage must name an image.", "--Pools:chat:Weights=OciImage")]
    [InlineData("Pools:chat:Memory must be a size, such as 512Mi or 16Gi.", "--Pools:chat:Memory=much")]
    [InlineData("Pools:chat:JobsPerReplica must be between 1 and 1000000.", "--Pools:chat:JobsPerReplica=0")]
    [InlineData("Pools:chat:Model and Pools:chat:Version make the queue infer.other.1.default, which the pool 'other' has.",
        "--Pools:chat:Model=other")]
    public async Task Options_ThatDoNotGoTogether_AreRefused(string sentence, string setting)
    {
        var refusal = await Assert.ThrowsAsync<StartupException>(() => ChartFixture.PublishAsync(_folder, static pools =>
        {
            pools.AddOnnxChat("other", "models/tiny-chat", "First.");
            pools.AddOnnxChat("chat", "models/tiny-chat", "Second.");
        }, setting));

        Assert.Equal(sentence, refusal.Message);
        Assert.False(Directory.Exists(_folder));
    }

    [Theory]
    [InlineData("Chat")]
    [InlineData("chat.v1")]
    [InlineData("a-name-that-is-so-long-that-no-pod-can-have-it")]
    public async Task AName_ThatKubernetesRefuses_IsRefused(string name)
    {
        var refusal = await Assert.ThrowsAsync<StartupException>(() =>
            ChartFixture.PublishAsync(_folder, pools => pools.AddOnnxChat(name, "models/tiny-chat", "A model.")));

        Assert.Equal(
            $"The pool '{name}' cannot be published: its name must be up to 40 lower-case letters, digits and hyphens, and begin with a " +
            $"letter; clients may know it by another one (Pools:{name}:Model).",
            refusal.Message);
        Assert.False(Directory.Exists(_folder));
    }

    [Fact]
    public async Task ARefusal_LeavesTheChartOfTheLastTimeAndOtherFilesAsTheyAre()
    {
        await ChartFixture.PublishAsync(_folder, static pools => pools.AddOnnxChat("chat", "models/tiny-chat", "A model."));
        await File.WriteAllTextAsync(Path.Combine(_folder, "values-production.yaml"), "ingress: {}");
        var before = Files();

        await Assert.ThrowsAsync<StartupException>(() =>
            ChartFixture.PublishAsync(_folder, static pools => pools.AddOnnxChat("other", "models/tiny-chat", "A model."),
                "--Pools:other:MinReplicas=6"));

        Assert.Equal(before, Files());

        Dictionary<string, string> Files() =>
            Directory.EnumerateFiles(_folder, "*", SearchOption.AllDirectories).ToDictionary(file => file, File.ReadAllText);
    }

    [Fact]
    public async Task AServer_ThatNeedsAGpu_IsRefusedWithoutOne()
    {
        var refusal = await Assert.ThrowsAsync<StartupException>(() =>
            ChartFixture.PublishAsync(_folder, static pools => pools.AddVllm("llama", "meta-llama/Llama-3.1-8B-Instruct", gpus: 0)));

        Assert.Equal("Pools:llama:Gpus is 0, and vLLM computes with CUDA only.", refusal.Message);
    }

    [Fact]
    public async Task AServer_ThatReadsAVolume_IsRefusedWithoutOne()
    {
        var refusal = await Assert.ThrowsAsync<StartupException>(() =>
            ChartFixture.PublishAsync(_folder, static pools => pools.AddLlamaCpp("qwen", "models/qwen.gguf")));

        Assert.Equal("Pools:qwen:Weights is Image: llama.cpp reads its model from a volume, so it must be Claim or OciImage.",
            refusal.Message);
    }

    [Fact]
    public async Task ApplicationHost_ContradictoryOptions_EndsWithTheSentenceAndExitCode1()
    {
        await using var platform = PlatformProcess.Start("--operation", "publish", "--step", "publish", "--output-path", _folder,
            "--Pools:tiny-chat:MinReplicas=9");

        Assert.Equal(1, await platform.EndAsync());

        Assert.Equal("Pools:tiny-chat:MinReplicas is 9, above Pools:tiny-chat:MaxReplicas (5).", platform.Output);
        Assert.False(Directory.Exists(_folder));
    }
}
