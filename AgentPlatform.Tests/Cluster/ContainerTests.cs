using System.Net;
using System.Net.Http.Json;
using System.Text.Json;

namespace AgentPlatform.Tests.Cluster;

/// <summary>The images, run with the rights of the chart's pods.</summary>
[Trait("Category", "Cluster")]
[Collection(ClusterGroup.Name)]
public sealed class ContainerTests(ClusterFixture cluster)
{
    [ContainerFact]
    public async Task Every_container_answers_on_8080()
    {
        foreach (var name in ClusterFixture.Platform)
        {
            using var client = cluster.Client(name);
            Assert.Equal("AI Agent Microservice is running.", await client.GetStringAsync(new Uri("/", UriKind.Relative)));
            foreach (var path in (string[])["/health", "/alive"])
            {
                using var response = await client.GetAsync(new Uri(path, UriKind.Relative));
                Assert.Equal(HttpStatusCode.OK, response.StatusCode);
            }
        }
    }

    [ContainerFact]
    public async Task Chat_goes_through_broker_and_worker()
    {
        using var response = await cluster.Gateway.PostAsJsonAsync("/v1/chat/completions",
            new { model = "tiny-chat", messages = new[] { new { role = "user", content = "How do I add a GPU pool?" } } });

        var body = await response.Content.ReadFromJsonAsync<JsonElement>();
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.NotEmpty(body.GetProperty("choices")[0].GetProperty("message").GetProperty("content").GetString()!);
    }

    [ContainerFact]
    public async Task Stream_through_broker_and_worker_ends_with_its_reason_and_done()
    {
        using var response = await cluster.Gateway.PostAsJsonAsync("/v1/chat/completions",
            new { model = "tiny-chat", stream = true, messages = new[] { new { role = "user", content = "How do I see traces?" } } });

        Assert.Matches("\"finish_reason\":\"stop\"[^\n]*\n\ndata: \\[DONE\\]\n\n\\z", await response.Content.ReadAsStringAsync());
    }

    [ContainerFact]
    public async Task Analyze_goes_through_broker_and_worker()
    {
        using var response = await cluster.Gateway.PostAsJsonAsync("/analyze", new { text = "I love this, thank you so much!" });

        Assert.Equal("Positive", (await response.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("sentiment").GetString());
    }

    [ContainerFact]
    public async Task Worker_alone_analyzes_without_a_broker()
    {
        await cluster.StartLoneWorkerAsync("lone");
        using var client = cluster.Client("lone");

        using var response = await client.PostAsJsonAsync("/analyze", new { text = "This is awful, it broke again." });

        Assert.Equal("Negative", (await response.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("sentiment").GetString());
    }

    [ContainerFact]
    public void Containers_run_as_1654_without_capabilities_and_write_to_tmp_only()
    {
        foreach (var name in ClusterFixture.Platform)
        {
            // Of the program itself, not of what is executed beside it: Uid: 1654 1654 1654 1654
            var status = cluster.Execute(name, "cat", "/proc/1/status").Split('\n').Select(line => line.Split(':', 2))
                .ToDictionary(line => line[0], line => line[1].Trim());
            Assert.Equal("1654\t1654\t1654\t1654", status["Uid"]);
            Assert.Equal("1654\t1654\t1654\t1654", status["Gid"]);
            Assert.All((string[])["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"], set => Assert.Equal("0000000000000000", status[set]));
            Assert.Equal("1", status["NoNewPrivs"]);
            Assert.All((string[])["/app", "/", "/home", "/usr"], folder => Assert.Equal("refused", Write(name, folder)));
            Assert.Equal("written", Write(name, "/tmp"));
        }
    }

    [ContainerFact]
    public void Programs_belong_to_root_and_nobody_else_may_change_them()
    {
        foreach (var name in ClusterFixture.Platform)
        {
            Assert.Equal(
                "", cluster.Execute(name, "find", "/app", "(", "!", "-user", "root", "-o", "-perm", "/022", ")", "!", "-type", "l"));
        }
    }

    [ContainerFact]
    public void Images_hold_no_sdk_no_source_and_no_package_cache()
    {
        foreach (var name in ClusterFixture.Platform)
        {
            Assert.Equal("", cluster.Execute(name, "sh", "-c", "ls -d /usr/share/dotnet/sdk /source /root/.nuget 2>/dev/null || true"));
            Assert.Equal(
                "",
                cluster.Execute(
                    name, "find", "/app", "-name", "*.cs", "-o", "-name", "*.csproj", "-o", "-name", "*.tsv", "-o", "-name",
                    "NuGet.config"));
        }
    }

    [ContainerFact]
    public void Images_hold_the_demonstration_models_in_the_worker_and_no_other_weights()
    {
        string[] find =
        [
            "find", "/app", "-size", "+100k", "(", "-name", "*.onnx", "-o", "-name", "*.gguf", "-o", "-name", "*.safetensors", "-o",
            "-name", "*.bin", "-o", "-path", "*/models/*", ")",
        ];

        Assert.Equal("", cluster.Execute("gateway", find));
        Assert.Equal(
            ["/app/models/sentiment/model.onnx", "/app/models/tiny-chat/model.onnx"],
            cluster.Execute("sentiment", find).Split('\n').Order(StringComparer.Ordinal));
    }

    [ContainerFact]
    public void Worker_holds_only_the_native_libraries_of_its_system()
    {
        Assert.Single(cluster.Execute("chat-1", "find", "/app", "-name", "libonnxruntime.so").Split('\n'));
        Assert.Equal(
            "", cluster.Execute("chat-1", "find", "/app", "-name", "*.dylib", "-o", "-name", "onnxruntime.dll", "-o", "-name", "*.aar"));
    }

    [ContainerFact]
    public void Worker_tells_nobody_of_its_use()
    {
        Assert.Contains(
            "ORT_DISABLE_TELEMETRY=1", ContainerEngine.Docker("inspect", "--format", "{{.Config.Env}}", "agentplatform/worker:test"),
            StringComparison.Ordinal);
        Assert.DoesNotContain("telemetry device", ContainerEngine.Logs(cluster.Full("sentiment")), StringComparison.Ordinal);
    }

    [ContainerFact]
    public void Images_name_user_port_and_entry_point_and_no_health_check()
    {
        foreach (var (image, program) in new[] { ("gateway", "AgentPlatform.Gateway.dll"), ("worker", "AgentPlatform.Worker.dll") })
        {
            Assert.Equal($"1654 map[8080/tcp:{{}}] [dotnet {program}] <nil>", ContainerEngine.Docker("inspect", "--format",
                "{{.Config.User}} {{.Config.ExposedPorts}} {{.Config.Entrypoint}} {{.Config.Healthcheck}}", $"agentplatform/{image}:test"));
        }
    }

    private string Write(string container, string folder) =>
        cluster.Execute(container, "sh", "-c", $"touch {folder}/written 2>/dev/null && echo written || echo refused");
}
