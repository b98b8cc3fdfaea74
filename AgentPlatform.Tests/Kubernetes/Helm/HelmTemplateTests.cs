namespace AgentPlatform.Tests.Kubernetes.Helm;

/// <summary>Helm finds nothing wrong with the chart, and refuses values that are wrong in a sentence that names them.</summary>
[Trait("Category", "Helm")]
public sealed class HelmTemplateTests(ChartFixture charts) : IClassFixture<ChartFixture>, IDisposable
{
    private readonly HelmPrograms _programs = new();

    public void Dispose() => _programs.Dispose();

    [Fact]
    public async Task Lint_FindsNothing()
    {
        foreach (var folder in new[] { ChartFixture.Committed, await charts.EveryKindAsync() })
        {
            Assert.DoesNotContain("[WARNING]", (await _programs.HelmAsync("lint", "--strict", folder)).Checked(), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task ValuesThatDoNotGoTogether_AreRefusedWithASentence()
    {
        foreach (var (settings, sentence) in ChartScenarios.Refused)
        {
            Assert.Contains(
                $": {sentence}\n", (await HelmTemplate.RunAsync(ChartFixture.Committed, settings)).Refused(), StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("pools.tiny-chat.version=2", "pools", "'tiny-chat' not allowed")]
    [InlineData("gateway.minReplicas=two", "gateway/minReplicas", "got string, want integer")]
    [InlineData("gateway.minReplicas=0", "gateway/minReplicas", "minimum: got 0, want 1")]
    [InlineData("ingress.enabled=1", "ingress/enabled", "got number, want boolean")]
    [InlineData("broker.scheme=http", "broker/scheme", "value must be one of 'amqp', 'amqps'")]
    [InlineData("deletionCost.apiPeers=10.0.0.1", "deletionCost/apiPeers", "got string, want array")]
    [InlineData("pools.sentiment.cooldownSeconds=3601", "pools/sentiment/cooldownSeconds", "maximum: got 3,601, want 3,600")]
    public async Task AValueThatIsWrong_IsRefusedWithItsName(string setting, string name, string reason)
    {
        var sentence = (await HelmTemplate.RunAsync(ChartFixture.Committed, setting)).Refused();

        Assert.Contains($"'/{name}'", sentence, StringComparison.Ordinal);
        Assert.Contains(reason, sentence, StringComparison.Ordinal);
    }
}
