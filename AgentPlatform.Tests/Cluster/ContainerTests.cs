using System.Net;
using System.Net.Http.Json;
using System.Text.Json;

namespace AgentPlatform.Tests.Cluster;

/// <summary>The images, run with the rights of the chart's pods.</summary>
[Trait("Category", "Cluster")]
public sealed class ContainerTests(ClusterFixture cluster) : IClassFixture<ClusterFixture>
{
    [ContainerFact]
    public async Task Gateway_AsContainer_AnswersOn8080() =>
        Assert.Equal("AI Agent Microservice is running.", await cluster.Gateway.GetStringAsync(new Uri("/", UriKind.Relative)));

    [ContainerFact]
    public async Task Chat_ThroughBrokerAndWorkerContainers_IsAnswered()
    {
        using var response = await cluster.Gateway.PostAsJsonAsync("/v1/chat/completions",
            new { model = "tiny-chat", messages = new[] { new { role = "user", content = "How do I add a GPU pool?" } } });

        var body = await response.Content.ReadFromJsonAsync<JsonElement>();
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.NotEmpty(body.GetProperty("choices")[0].GetProperty("message").GetProperty("content").GetString()!);
    }

    [ContainerFact]
    public async Task Stream_ThroughBrokerAndWorkerContainers_EndsWithDone()
    {
        using var response = await cluster.Gateway.PostAsJsonAsync("/v1/chat/completions",
            new { model = "tiny-chat", stream = true, messages = new[] { new { role = "user", content = "How do I see traces?" } } });

        Assert.EndsWith("data: [DONE]\n\n", await response.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [ContainerFact]
    public async Task Analyze_ThroughBrokerAndWorkerContainers_IsAnswered()
    {
        using var response = await cluster.Gateway.PostAsJsonAsync("/analyze", new { text = "I love this, thank you so much!" });

        Assert.Equal("Positive", (await response.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("sentiment").GetString());
    }

    [ContainerFact]
    public void Containers_AsTheChartRunsThem_AreNotRootAndCannotWrite()
    {
        foreach (var container in cluster.Platform)
        {
            Assert.Equal("1654", ContainerEngine.Docker("exec", container, "id", "-u"));
            Assert.Equal("refused", ContainerEngine.Docker("exec", container, "sh", "-c", "touch /app/x 2>/dev/null && echo written || echo refused"));
            Assert.Equal("written", ContainerEngine.Docker("exec", container, "sh", "-c", "touch /tmp/x 2>/dev/null && echo written || echo refused"));
        }
    }

    [ContainerFact]
    public void Images_HoldNoSdkNoSourceAndTheDemonstrationModelsOnly()
    {
        foreach (var container in cluster.Platform)
        {
            Assert.Equal("", ContainerEngine.Docker("exec", container, "sh", "-c", "ls -d /usr/share/dotnet/sdk /source 2>/dev/null || true"));
            Assert.Equal("", ContainerEngine.Docker("exec", container, "find", "/app", "-name", "*.gguf", "-o", "-name", "*.cs", "-o", "-name", "*.tsv"));
        }
    }

    [ContainerFact]
    public void Worker_HoldsOnlyTheNativeLibrariesOfItsSystem()
    {
        var worker = cluster.Platform.First(name => name.EndsWith("-tiny-chat", StringComparison.Ordinal));

        Assert.Single(ContainerEngine.Docker("exec", worker, "sh", "-c", "find /app -name 'libonnxruntime.so'").Split('\n'));
        Assert.Equal("", ContainerEngine.Docker("exec", worker, "find", "/app", "-name", "*.dylib", "-o", "-name", "onnxruntime.dll", "-o", "-name", "*.aar"));
    }

    [ContainerFact]
    public void Images_AreOfUser1654WithoutHealthCheck()
    {
        foreach (var image in (string[])["gateway", "worker"])
        {
            Assert.Equal("1654 <nil>", ContainerEngine.Docker("inspect", "--format", "{{.Config.User}} {{.Config.Healthcheck}}", $"agentplatform/{image}:test"));
        }
    }
}
