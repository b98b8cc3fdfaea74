using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using AgentPlatform.Messaging.Broker;

namespace AgentPlatform.Tests.Kubernetes;

/// <summary>Whatever text a value is, it stays one where it enters YAML, JSON, an address or a regular expression.</summary>
[Trait("Category", "Helm")]
public sealed class ChartTextTests(ChartFixture charts) : IClassFixture<ChartFixture>
{
    [Fact]
    public async Task ATextThatMeansSomething_IsTheSameTextInEveryObject()
    {
        foreach (var chart in await charts.AllAsync(ChartScenarios.Awkward))
        {
            var gateway = PodSettings.Of(chart, chart.Container("gateway"));
            Assert.Equal(ChartScenarios.AwkwardText, gateway["Models__0__Description"]);
            Assert.Equal(ChartScenarios.AwkwardText, gateway["OTEL_EXPORTER_OTLP_ENDPOINT"]);
            Assert.Equal(
                ChartScenarios.AwkwardText,
                Uri.UnescapeDataString(
                    new Uri(
                        gateway["ConnectionStrings__messaging"]
                            .Replace("$(BROKER_PASSWORD)", "x", StringComparison.Ordinal)).AbsolutePath[1..]));
            Assert.All(
                chart.Of("ScaledObject"),
                scaling => Assert.Equal(ChartScenarios.AwkwardText, (string?)scaling["spec"]!["triggers"]![0]!["metadata"]!["vhostName"]));

            var broker = chart.Get("StatefulSet", "messaging-statefulset")["spec"]!["template"]!;
            var definitions = Chart.List(broker["spec"]!["initContainers"]![0]!["env"])
                .Single(variable => (string?)variable["name"] == "DEFINITIONS");
            Assert.Equal(ChartScenarios.AwkwardText, (string?)JsonNode.Parse((string)definitions["value"]!)!["vhosts"]![0]!["name"]);
        }
    }

    [Fact]
    public async Task AVersion_IsNoRegularExpression()
    {
        var metadata = (await Chart.RenderCommittedAsync(ChartScenarios.AwkwardVersion))
            .Get("ScaledObject", "tiny-chat-scaling")["spec"]!["triggers"]![0]!["metadata"]!;

        var pattern = new Regex((string)metadata["queueName"]!);
        Assert.Matches(pattern, QueueNames.Job("tiny-chat", "1.0+b"));
        Assert.DoesNotMatch(pattern, QueueNames.Job("tiny-chat", "1-0b"));
        Assert.DoesNotMatch(pattern, QueueNames.Job("tiny-chat", "1x00b"));
    }
}
