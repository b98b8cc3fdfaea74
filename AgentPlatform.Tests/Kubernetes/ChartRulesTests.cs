using System.Globalization;
using System.Text.Json.Nodes;
using AgentPlatform.AppHost.Models;
using AgentPlatform.AppHost.Servers;
using AgentPlatform.Messaging.Broker;
using AgentPlatform.ServiceDefaults;

namespace AgentPlatform.Tests.Kubernetes;

/// <summary>A cluster would accept the chart, and its objects fit together: the committed one, and one with GPUs, servers and keys.</summary>
public sealed class ChartRulesTests(ChartFixture charts) : IClassFixture<ChartFixture>
{
    public static TheoryData<string[]> Settings => new(
        [],
        ["ingress.enabled=true"],
        ["telemetry.otlpEndpoint=http://collector:4317"],
        ["broker.enabled=false", "broker.existingSecret=rabbit", "broker.host=rabbit.example", "broker.scheme=amqps", "broker.port=5671", "broker.storageClass=fast"],
        ["keda.enabled=false", "networkPolicies.enabled=false"],
        ["broker.storageClass=fast"]);

    [Theory]
    [MemberData(nameof(Settings))]
    public async Task EveryObject_HasOnlyFieldsOfItsSchema(string[] settings)
    {
        var schemas = new ObjectSchemas();
        foreach (var chart in await AllAsync(settings))
        {
            var mistakes = chart.Objects.SelectMany(schemas.Check).ToList();
            Assert.True(mistakes.Count == 0, string.Join('\n', mistakes));
        }
    }

    [Theory]
    [MemberData(nameof(Settings))]
    public async Task EveryReference_MeetsAnObject(string[] settings)
    {
        foreach (var chart in await AllAsync(settings))
        {
            var secrets = chart.Of("Secret").Select(Name).Append("rabbit").Append("llama-keys").Append("gpt-keys").ToHashSet();
            foreach (var (_, _, pod) in chart.Pods())
            {
                var containers = Chart.Containers(pod).ToList();
                Assert.All(containers.SelectMany(container => Chart.List(container["envFrom"])), source => chart.Get("ConfigMap", (string)source["configMapRef"]!["name"]!));
                Assert.All(Chart.List(pod["spec"]!["volumes"]).Where(volume => volume["configMap"] is not null), volume => chart.Get("ConfigMap", (string)volume["configMap"]!["name"]!));
                Assert.All(
                    containers.SelectMany(container => Chart.List(container["env"])).Where(variable => variable["valueFrom"] is not null),
                    variable => Assert.Contains((string)variable["valueFrom"]!["secretKeyRef"]!["name"]!, secrets));
                Assert.All(
                    Chart.List(pod["spec"]!["volumes"]).Where(volume => volume["persistentVolumeClaim"] is not null),
                    volume => Assert.Equal("weights", (string?)volume["persistentVolumeClaim"]!["claimName"]));
                Assert.Null(pod["spec"]!["serviceAccountName"]);
                CheckMounts(pod, containers, chart);
            }

            Assert.All(
                chart.Of("TriggerAuthentication").SelectMany(item => Chart.List(item["spec"]!["secretTargetRef"])), target => Assert.Contains((string)target["name"]!, secrets));
        }
    }

    [Fact]
    public async Task Selectors_MatchTheLabelsOfPods()
    {
        foreach (var chart in await AllAsync())
        {
            Assert.All(chart.Pods(), item => Assert.True(Matches(item.Workload["spec"]!["selector"]!["matchLabels"], item.Pod), item.Name));
            Assert.All(chart.Of("Service"), service => Assert.Single(chart.Pods(), item => Matches(service["spec"]!["selector"], item.Pod)));
            Assert.All(chart.Of("PodDisruptionBudget"), budget => Assert.Single(chart.Pods(), item => Matches(budget["spec"]!["selector"]!["matchLabels"], item.Pod)));
            Assert.All(chart.Of("NetworkPolicy"), policy => Assert.Contains(chart.Pods(), item => Matches(policy["spec"]!["podSelector"]!["matchLabels"], item.Pod)));
            Assert.All(chart.Pods(), item => Assert.All(
                Chart.List(item.Pod["spec"]!["topologySpreadConstraints"]), constraint => Assert.True(Matches(constraint["labelSelector"]!["matchLabels"], item.Pod), item.Name)));
        }
    }

    [Fact]
    public async Task Ports_OfServicesIngressesProbesAndPolicies_Exist()
    {
        foreach (var chart in await AllAsync("ingress.enabled=true"))
        {
            foreach (var service in chart.Of("Service"))
            {
                var ports = chart.Pods().Where(item => Matches(service["spec"]!["selector"], item.Pod)).SelectMany(item => Ports(item.Pod)).ToHashSet();
                Assert.All(Chart.List(service["spec"]!["ports"]), port => Assert.Contains(port["targetPort"]!.ToString(), ports));
            }

            var backend = Assert.Single(chart.Of("Ingress"))["spec"]!["rules"]![0]!["http"]!["paths"]![0]!["backend"]!["service"]!;
            Assert.Contains(Chart.List(chart.Get("Service", (string)backend["name"]!)["spec"]!["ports"]), port => (string?)port["name"] == (string?)backend["port"]!["name"]);

            foreach (var (name, _, pod) in chart.Pods())
            {
                var ports = Ports(pod).ToHashSet();
                Assert.Equal(ports.Count, Ports(pod).Count());
                Assert.All(Chart.Containers(pod).SelectMany(Probes).Where(probe => probe["httpGet"] is not null), probe => Assert.Contains(probe["httpGet"]!["port"]!.ToString(), ports));
                Assert.All(
                    chart.Of("NetworkPolicy").Where(policy => Matches(policy["spec"]!["podSelector"]!["matchLabels"], pod)).SelectMany(policy => Chart.List(policy["spec"]!["ingress"])),
                    rule => Assert.All(Chart.List(rule["ports"]), port => Assert.True(ports.Contains(port["port"]!.ToString()), $"{name}: {port}")));
            }
        }
    }

    [Fact]
    public async Task Probes_OfOurServices_AskTheirHealthEndpoints()
    {
        foreach (var chart in await AllAsync())
        {
            foreach (var container in Ours(chart))
            {
                Assert.Equal(ServiceDefaultsExtensions.ReadinessPath, (string?)container["startupProbe"]!["httpGet"]!["path"]);
                Assert.Equal(ServiceDefaultsExtensions.ReadinessPath, (string?)container["readinessProbe"]!["httpGet"]!["path"]);
                Assert.Equal(ServiceDefaultsExtensions.LivenessPath, (string?)container["livenessProbe"]!["httpGet"]!["path"]);
            }
        }
    }

    [Fact]
    public async Task ScaledObjects_ScaleADeploymentWithoutANumberOnTheQueueOfItsWorkers()
    {
        foreach (var chart in await AllAsync())
        {
            var models = new HashSet<string>();
            foreach (var scaling in chart.Of("ScaledObject"))
            {
                var deployment = chart.Get("Deployment", (string)scaling["spec"]!["scaleTargetRef"]!["name"]!);
                Assert.Null(deployment["spec"]!["replicas"]);
                var settings = PodSettings.Of(chart, Assert.Single(Chart.List(deployment["spec"]!["template"]!["spec"]!["containers"])));
                var trigger = Assert.Single(Chart.List(scaling["spec"]!["triggers"]));
                Assert.Equal(Topology.JobQueue(settings["Model__Name"], settings["Model__Version"]), (string?)trigger["metadata"]!["queueName"]);
                Assert.Equal(("http", "QueueLength", "false"), ((string?)trigger["metadata"]!["protocol"], (string?)trigger["metadata"]!["mode"], (string?)trigger["metadata"]!["excludeUnacknowledged"]));
                Assert.Equal("http://messaging-service.models.svc:15672/", (string?)trigger["metadata"]!["host"]);
                chart.Get("TriggerAuthentication", (string)trigger["authenticationRef"]!["name"]!);
                Assert.True((int)scaling["spec"]!["minReplicaCount"]! <= (int)scaling["spec"]!["maxReplicaCount"]!);
                models.Add($"{settings["Model__Name"]} {settings["Model__Version"]}");
            }

            // The gateway sends to the same queues.
            var gateway = PodSettings.Of(chart, Assert.Single(Chart.List(chart.Get("Deployment", "gateway-deployment")["spec"]!["template"]!["spec"]!["containers"])));
            var known = Enumerable.Range(0, models.Count).Select(index => $"{gateway[$"Models__{index}__Name"]} {gateway[$"Models__{index}__Version"]}");
            Assert.Equal(models.Order(StringComparer.Ordinal), known.Order(StringComparer.Ordinal));
        }
    }

    [Fact]
    public async Task Scaling_FollowsFromTheOptions()
    {
        var chart = Chart.Render(await charts.PublishAsync(
            static pools => pools.AddOnnxChat("chat", "models/tiny-chat", "A model.", pool => (pool.JobsPerReplica, pool.MaxReplicas) = (10, 7)), "--Pools:chat:MaxReplicas=9"));

        var spec = chart.Get("ScaledObject", "chat-scaling")["spec"]!;
        var jobsPerReplica = int.Parse((string)spec["triggers"]![0]!["metadata"]!["value"]!, CultureInfo.InvariantCulture);
        Assert.Equal(5, (int)Math.Ceiling(50.0 / jobsPerReplica));
        Assert.Equal(0, (int)spec["minReplicaCount"]!);
        Assert.Equal(9, (int)spec["maxReplicaCount"]!);
        Assert.Equal("0", (string?)spec["triggers"]![0]!["metadata"]!["activationValue"]);
    }

    [Fact]
    public async Task AVersion_InTheValues_IsTheWorkersTheGatewaysAndTheQueues()
    {
        var chart = Chart.Render(ChartFixture.Committed, "pools.tiny_chat.version=v2");

        Assert.Equal("infer.tiny-chat.v2.default", (string?)chart.Get("ScaledObject", "tiny-chat-scaling")["spec"]!["triggers"]![0]!["metadata"]!["queueName"]);
        Assert.Equal("v2", PodSettings.Of(chart, Container(chart, "tiny-chat"))["Model__Version"]);
        Assert.Equal("v2", PodSettings.Of(chart, Container(chart, "gateway"))["Models__1__Version"]);
        await Task.CompletedTask;
    }

    [Fact]
    public async Task Gpus_AreRequestedAsLimitedAndKeepPodsToNodesThatHaveThem()
    {
        var chart = Chart.Render(await PublishAllAsync());
        var computing = new HashSet<string>();
        foreach (var (name, _, pod) in chart.Pods())
        {
            var gpus = Chart.Containers(pod).Where(container => container["resources"]!["limits"]!.AsObject().Any(limit => limit.Key.StartsWith("nvidia.com/", StringComparison.Ordinal))).ToList();
            Assert.Equal(gpus.Count > 0, pod["spec"]!["nodeSelector"] is not null);
            if (gpus.Count > 0)
            {
                computing.Add(name);
                var limits = Assert.Single(gpus)["resources"]!["limits"]!;
                var key = limits.AsObject().Single(limit => limit.Key.StartsWith("nvidia.com/", StringComparison.Ordinal)).Key;
                Assert.Equal((string?)limits[key], (string?)gpus[0]["resources"]!["requests"]![key]);
                Assert.Equal("true", (string?)pod["spec"]!["nodeSelector"]!["nvidia.com/gpu.present"]);
                Assert.Equal("nvidia.com/gpu", (string?)Assert.Single(Chart.List(pod["spec"]!["tolerations"]))["key"]);
            }
        }

        Assert.Equal(["llama-deployment", "onnx-deployment", "toxicity-deployment"], computing.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task AServer_IsASidecarThatStartsBeforeItsWorkerAndComputesTheModelForIt()
    {
        var chart = Chart.Render(await PublishAllAsync());

        var pod = chart.Get("Deployment", "llama-deployment")["spec"]!["template"]!;
        var server = Assert.Single(Chart.List(pod["spec"]!["initContainers"]));
        Assert.Equal("Always", (string?)server["restartPolicy"]);
        Assert.Equal("/health", (string?)server["startupProbe"]!["httpGet"]!["path"]);
        Assert.Equal("secret:llama-keys/HF_TOKEN", PodSettings.Of(chart, server)["HF_TOKEN"]);
        Assert.Equal("http://localhost:8000/v1", PodSettings.Of(chart, Container(chart, "llama"))["OpenAI__Endpoint"]);
        Assert.Contains(Chart.List(server["volumeMounts"]), mount => (string?)mount["mountPath"] == "/dev/shm");
        Assert.DoesNotContain(chart.Objects, item => Name(item).StartsWith("llama-server", StringComparison.Ordinal));
        Assert.Equal(0, (int)chart.Get("Deployment", "llama-deployment")["spec"]!["strategy"]!["rollingUpdate"]!["maxSurge"]!);
    }

    [Fact]
    public async Task Secrets_AreOnlyReferredTo()
    {
        foreach (var folder in new[] { ChartFixture.Committed, await PublishAllAsync() })
        {
            var text = string.Join('\n', Directory.EnumerateFiles(folder, "*.yaml", SearchOption.AllDirectories).Select(File.ReadAllText));
            Assert.DoesNotContain("sk-secret", text, StringComparison.Ordinal);
            Assert.DoesNotContain(".Values.secrets", text, StringComparison.Ordinal);
            var chart = Chart.Render(folder);
            Assert.Equal(["messaging-users"], chart.Of("Secret").Select(Name));
            Assert.All(chart.Pods().SelectMany(item => Chart.Containers(item.Pod)).SelectMany(container => PodSettings.Of(chart, container)), setting =>
                Assert.True(!setting.Key.EndsWith("_PASSWORD", StringComparison.OrdinalIgnoreCase) || setting.Value.StartsWith("secret:", StringComparison.Ordinal), setting.Key));
        }
    }

    [Fact]
    public void Broker_IsOneSecretForAllConsumersWithAUserForEachRole()
    {
        var chart = Chart.Render(ChartFixture.Committed, "broker.enabled=false", "broker.existingSecret=rabbit", "broker.host=rabbit.example", "broker.scheme=amqps", "broker.port=5671");

        Assert.Empty(chart.Of("StatefulSet"));
        Assert.Empty(chart.Of("Secret"));
        var gateway = PodSettings.Of(chart, Container(chart, "gateway"));
        Assert.Equal("secret:rabbit/gateway-password", gateway["BROKER_PASSWORD"]);
        Assert.Equal("amqps://gateway:$(BROKER_PASSWORD)@rabbit.example:5671/%2F", gateway["ConnectionStrings__messaging"]);
        var worker = PodSettings.Of(chart, Container(chart, "sentiment"));
        Assert.Equal("secret:rabbit/worker-password", worker["BROKER_PASSWORD"]);
        Assert.Equal("amqps://worker:$(BROKER_PASSWORD)@rabbit.example:5671/%2F", worker["ConnectionStrings__messaging"]);
    }

    private async Task<IReadOnlyList<Chart>> AllAsync(params string[] settings) => [Chart.Render(ChartFixture.Committed, settings), Chart.Render(await PublishAllAsync(), settings)];

    /// <summary>A platform with a pool of each kind.</summary>
    private Task<string> PublishAllAsync() => charts.PublishAsync(static pools =>
    {
        pools.AddVllm("llama", "meta-llama/Llama-3.1-8B-Instruct", gpus: 2, configure: pool => pool.Model = "llama-3.1");
        pools.AddOnnxChat("onnx", "models/smollm2", "In the worker, on a GPU.", pool => (pool.Gpus, pool.ExecutionProvider, pool.Weights, pool.WeightsClaim) = (1, "cuda", WeightsSource.Claim, "weights"));
        pools.AddTriton("toxicity", "models/triton", configure: pool => (pool.Weights, pool.WeightsImage, pool.GpuResource) = (WeightsSource.OciImage, "registry.example/weights:1", "nvidia.com/mig-1g.10gb"));
        pools.AddLlamaCpp("qwen", "models/qwen.gguf", configure: pool => (pool.Weights, pool.WeightsClaim) = (WeightsSource.Claim, "weights"));
        pools.AddOllama("small", "llama3.2:3b");
        pools.AddOpenAI("gpt", "gpt-5-mini");
        pools.AddOnnxClassifier("fetched", "models/sentiment", "Fetches its weights.", pool => (pool.Weights, pool.WeightsAddress, pool.WeightsSha256) =
            (WeightsSource.Download, "https://weights.example:8443/m/SHA256SUMS", new string('a', 64)));
        pools.AddAgent("agent", model: "llama", "An agent.");
    }, "--Parameters:llama-hf-token=sk-secret", "--Parameters:gpt-api-key=sk-secret");

    private static void CheckMounts(JsonNode pod, List<JsonNode> containers, Chart chart)
    {
        var claims = chart.Of("StatefulSet").SelectMany(set => Chart.List(set["spec"]!["volumeClaimTemplates"])).Select(claim => (string)claim["metadata"]!["name"]!);
        var volumes = Chart.List(pod["spec"]!["volumes"]).Select(volume => (string)volume["name"]!).ToList();
        Assert.Equal(volumes.Count, volumes.Distinct().Count());
        var mounted = containers.SelectMany(container => Chart.List(container["volumeMounts"])).Select(mount => (string)mount["name"]!).ToHashSet();
        Assert.Subset(volumes.Concat(claims).ToHashSet(), mounted);
        Assert.Subset(mounted, volumes.ToHashSet());
        Assert.All(containers, container => Assert.Equal(
            Chart.List(container["volumeMounts"]).Count(), Chart.List(container["volumeMounts"]).DistinctBy(mount => (string)mount["mountPath"]!).Count()));
    }

    private static IEnumerable<JsonNode> Ours(Chart chart) => chart.Of("Deployment").SelectMany(item => Chart.List(item["spec"]!["template"]!["spec"]!["containers"]));

    private static JsonNode Container(Chart chart, string name) => Assert.Single(Chart.List(chart.Get("Deployment", $"{name}-deployment")["spec"]!["template"]!["spec"]!["containers"]));

    private static string Name(JsonObject item) => (string)item["metadata"]!["name"]!;

    private static bool Matches(JsonNode? selector, JsonNode pod) =>
        selector is JsonObject { Count: > 0 } labels && labels.All(label => (string?)pod["metadata"]!["labels"]![label.Key] == (string?)label.Value);

    private static IEnumerable<string> Ports(JsonNode pod) =>
        Chart.Containers(pod).SelectMany(container => Chart.List(container["ports"])).SelectMany(port => new[] { (string)port["name"]!, port["containerPort"]!.ToString() });

    private static IEnumerable<JsonNode> Probes(JsonNode container) => new[] { container["startupProbe"], container["readinessProbe"], container["livenessProbe"] }.OfType<JsonNode>();
}
