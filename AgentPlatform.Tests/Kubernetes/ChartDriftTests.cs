using AgentPlatform.AppHost.Pools;
using AgentPlatform.AppHost.Pools.Definitions;
using AgentPlatform.AppHost.Startup;
using AgentPlatform.Tests.AppHost;

namespace AgentPlatform.Tests.Kubernetes;

/// <summary>The committed chart is the one that the application host makes, and publishing changes nothing else in a folder.</summary>
public sealed class ChartDriftTests : IDisposable
{
    private const string Accept =
        "dotnet run --project AgentPlatform.AppHost -- --operation publish --step publish --output-path deploy/chart";

    private readonly string _folder = Directory.CreateTempSubdirectory("agentplatform-chart-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Chart_MadeAnew_IsTheCommittedOne()
    {
        await using var platform = PlatformProcess.Start("--operation", "publish", "--step", "publish", "--output-path", _folder);
        Assert.True(await platform.EndAsync() == 0, platform.Output);

        var (made, committed) = (Files(_folder), Files(ChartFixture.Committed));
        var different = made.Keys.Union(committed.Keys).Where(file => made.GetValueOrDefault(file) != committed.GetValueOrDefault(file))
            .Order(StringComparer.Ordinal).ToList();
        Assert.True(different.Count == 0, $"deploy/chart is out of date: {string.Join(", ", different)}. Accept the change with: {Accept}");
    }

    [Fact]
    public async Task Publish_IntoAFolderWithOtherFiles_LeavesThemAndRemovesWhatPoolsThatAreGoneHad()
    {
        await ChartFixture.PublishAsync(_folder, pools => pools.Add("old", EngineType.Agent, ModelOperation.Chat, "Goes."));
        var own = Path.Combine(_folder, "values-production.yaml");
        var note = Path.Combine(_folder, "templates", "_names.tpl");
        await File.WriteAllTextAsync(own, "ingress: {}");
        await File.WriteAllTextAsync(note, "Hello.");

        await ChartFixture.PublishAsync(_folder, pools => pools.Add("new", EngineType.Agent, ModelOperation.Chat, "Comes."));

        Assert.True(File.Exists(own));
        Assert.True(File.Exists(note));
        Assert.False(Directory.Exists(Path.Combine(_folder, "templates", "old")));
        Assert.True(File.Exists(Path.Combine(_folder, "templates", "new", "deployment.yaml")));
    }

    [Fact]
    public async Task Publish_IntoTheFolderOfAnotherChart_IsRefusedAndChangesNothing()
    {
        var chart = Path.Combine(_folder, "Chart.yaml");
        await File.WriteAllTextAsync(chart, "name: other\n");

        var refusal = await Assert.ThrowsAsync<StartupException>(() =>
            ChartFixture.PublishAsync(_folder, static pools => pools.Add("new", EngineType.Agent, ModelOperation.Chat, "Comes.")));

        Assert.Equal(
            $"The folder {_folder} holds the chart 'other': publish into another one with --output-path, or set Kubernetes:ChartName.",
            refusal.Message);
        Assert.Equal([chart], Directory.EnumerateFileSystemEntries(_folder));
    }

    [Fact]
    public async Task AddingAPool_AddsItsObjectsAndOneModelOfTheGateway()
    {
        string before = Path.Combine(_folder, "before"), after = Path.Combine(_folder, "after");
        await ChartFixture.PublishAsync(before, static pools => pools.AddOnnxChat("chat", "models/tiny-chat", "A model."));

        await ChartFixture.PublishAsync(after, static pools =>
        {
            pools.AddOnnxChat("chat", "models/tiny-chat", "A model.");
            pools.AddVllm("llama", "meta-llama/Llama-3.1-8B-Instruct", gpus: 1);
        });

        var (old, made) = (Files(before), Files(after));
        Assert.Equal(
            ["account.yaml", "api.yaml", "binding.yaml", "broker.yaml", "config.yaml", "deletion-cost-binding.yaml", "deletion-cost.yaml",
                "deployment.yaml", "disruption.yaml", "network.yaml", "role.yaml", "scaling.yaml"],
            made.Keys.Except(old.Keys).Order(StringComparer.Ordinal)
                .Select(file => Path.GetRelativePath(Path.Combine("templates", "llama"), file)));
        var changed = old.Keys.Where(file => made[file] != old[file]).Order(StringComparer.Ordinal).ToList();
        string[] expected = ["gateway/config.yaml", "gateway/deployment.yaml", "messaging/statefulset.yaml", "messaging/users.yaml",
            "refusals.yaml"];
        Assert.Equal([.. expected.Select(file => Path.Combine(["templates", .. file.Split('/')])), "values.schema.json", "values.yaml"],
            changed);

        // Lines are only added, but for the one that gives the broker its users.
        Assert.All(changed, file => Assert.DoesNotContain(
            old[file].Split('\n').Except(made[file].Split('\n')), line => !line.Contains("topic_permissions", StringComparison.Ordinal)));
    }

    private static Dictionary<string, string> Files(string folder) => Directory.Exists(folder)
        ? Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories)
            .ToDictionary(path => Path.GetRelativePath(folder, path), File.ReadAllText)
        : [];
}
