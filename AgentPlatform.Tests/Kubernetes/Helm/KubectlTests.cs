namespace AgentPlatform.Tests.Kubernetes.Helm;

/// <summary>kubectl takes what Helm renders.</summary>
[Trait("Category", "Helm")]
public sealed class KubectlTests(ChartFixture charts) : IClassFixture<ChartFixture>, IAsyncLifetime
{
    private HelmCluster _cluster = null!;

    public async Task InitializeAsync()
    {
        _cluster = await HelmCluster.StartAsync();
        _cluster.Objects.CreateNamespace(Chart.Namespace);
    }

    public async Task DisposeAsync() => await _cluster.DisposeAsync();

    [Theory]
    [InlineData("--dry-run=client")]
    [InlineData("--dry-run=server", "--server-side")]
    public async Task Apply_TakesAllObjects(params string[] how)
    {
        foreach (var folder in new[] { ChartFixture.Committed, await charts.EveryKindAsync() })
        {
            var rendered = await RenderAsync(folder, ChartScenarios.Ingress);

            var lines = (await ApplyAsync(rendered, how)).Checked().Trim().Split('\n');

            Assert.Equal(Chart.Parse(rendered).Objects.Count, lines.Length);
            Assert.All(lines, line => Assert.EndsWith("dry run)", line, StringComparison.Ordinal));
            Assert.Empty(_cluster.Names());
        }
    }

    [Fact]
    public async Task Apply_OfAFieldThatThereIsNot_IsRefused()
    {
        var rendered = (await RenderAsync(ChartFixture.Committed))
            .Replace("revisionHistoryLimit:", "revisionLimit:", StringComparison.Ordinal);

        var refusal = (await ApplyAsync(rendered, "--dry-run=server", "--server-side")).Refused();
        Assert.Contains("Deployment gateway-deployment.spec.revisionLimit is no field.", refusal, StringComparison.Ordinal);
    }

    private static async Task<string> RenderAsync(string folder, params string[] settings) =>
        (await HelmTemplate.RunAsync(folder, settings)).Checked();

    private async Task<EndedProcess> ApplyAsync(string objects, params string[] how)
    {
        var file = Path.GetTempFileName();
        try
        {
            await File.WriteAllTextAsync(file, objects);
            return await _cluster.KubectlAsync(["apply", "--validate=strict", "--filename", file, .. how]);
        }
        finally
        {
            File.Delete(file);
        }
    }
}
