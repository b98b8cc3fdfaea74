using System.Text;
using System.Text.Json.Nodes;

namespace AgentPlatform.Tests.Kubernetes.Helm;

/// <summary>Helm itself takes the chart, and makes of it what the renderer of these tests does, with which all others look at it.</summary>
[Trait("Category", "Helm")]
public sealed class HelmTemplateTests(ChartFixture charts) : IClassFixture<ChartFixture>, IDisposable
{
    private readonly HelmPrograms _programs = new();

    public static TheoryData<string[]> OfAnyChart => [.. ChartScenarios.OfAnyChart];

    public static TheoryData<string[]> OfTheCommittedChart => [.. ChartScenarios.OfTheCommittedChart];

    public void Dispose() => _programs.Dispose();

    [Fact]
    public async Task Lint_FindsNothing()
    {
        foreach (var folder in new[] { ChartFixture.Committed, await charts.EveryKindAsync() })
        {
            Assert.DoesNotContain("[WARNING]", (await _programs.HelmAsync("lint", "--strict", folder)).Checked(), StringComparison.Ordinal);
        }
    }

    [Theory, MemberData(nameof(OfTheCommittedChart))]
    public Task TheCommittedChart_IsRenderedAsTheseTestsRenderIt(string[] settings) => CompareAsync(ChartFixture.Committed, settings);

    [Theory, MemberData(nameof(OfAnyChart))]
    public async Task PoolsOfEachKind_AreRenderedAsTheseTestsRenderThem(string[] settings) => await CompareAsync(await charts.EveryKindAsync(), settings);

    [Fact]
    public async Task ValuesThatDoNotGoTogether_AreRefusedWithTheSameSentence()
    {
        foreach (var (settings, sentence) in ChartScenarios.Refused)
        {
            Assert.Contains($": {sentence}\n", (await TemplateAsync(ChartFixture.Committed, settings)).Refused(), StringComparison.Ordinal);
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
        var sentence = (await TemplateAsync(ChartFixture.Committed, [setting])).Refused();

        Assert.Contains($"'/{name}'", sentence, StringComparison.Ordinal);
        Assert.Contains(reason, sentence, StringComparison.Ordinal);
    }

    private Task<EndedProcess> TemplateAsync(string folder, string[] settings) =>
        _programs.HelmAsync(["template", Chart.Release, folder, "--namespace", Chart.Namespace, .. HelmSettings.Arguments(settings)]);

    private async Task CompareAsync(string folder, string[] settings)
    {
        var helm = Chart.Parse((await TemplateAsync(folder, settings)).Checked());
        var ours = Chart.Render(folder, settings);

        Assert.NotEmpty(ours.Objects);
        Assert.Equal(ours.Objects.Select(Identity).Order(StringComparer.Ordinal), helm.Objects.Select(Identity).Order(StringComparer.Ordinal));
        Assert.All(ours.Objects, item => Assert.Equal(Text(item), Text(helm.Get((string)item["kind"]!, Chart.Name(item)))));
    }

    private static string Identity(JsonObject item) => $"{item["kind"]} {Chart.Name(item)}";

    private static string Text(JsonObject item) => Sorted(WithoutPasswords(item));

    private static string Sorted(JsonNode? node) => node switch
    {
        JsonObject fields => $"{{{string.Join(',', fields.OrderBy(field => field.Key, StringComparer.Ordinal).Select(field => $"{field.Key}:{Sorted(field.Value)}"))}}}",
        JsonArray items => $"[{string.Join(',', items.Select(Sorted))}]",
        _ => node?.ToJsonString() ?? "null",
    };

    // 32 random letters and digits, other ones each time.
    private static JsonObject WithoutPasswords(JsonObject item)
    {
        foreach (var (key, value) in (string?)item["kind"] == "Secret" ? item["data"]!.AsObject().ToList() : [])
        {
            var text = Encoding.UTF8.GetString(Convert.FromBase64String((string)value!));
            item["data"]![key] = text.Length == 32 && text.All(char.IsAsciiLetterOrDigit) ? "random" : text;
        }

        return item;
    }
}
