using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using AgentPlatform.Messaging.Broker;

namespace AgentPlatform.Tests.Kubernetes;

/// <summary>
/// A cluster would accept the chart, and its objects fit together: the committed one, and one with GPUs, servers and keys.
/// </summary>
[Trait("Category", "Helm")]
public sealed class ChartRulesTests(ChartFixture charts) : IClassFixture<ChartFixture>
{
    public static TheoryData<string[]> Settings => [.. ChartScenarios.OfAnyChart];

    [Theory]
    [MemberData(nameof(Settings))]
    public async Task EveryObject_HasOnlyFieldsOfItsSchema(string[] settings)
    {
        var schemas = new ObjectSchemas();
        foreach (var chart in await charts.AllAsync(settings))
        {
            var mistakes = chart.Objects.SelectMany(schemas.Check).ToList();
            Assert.True(mistakes.Count == 0, string.Join('\n', mistakes));
        }
    }

    [Theory]
    [MemberData(nameof(Settings))]
    public async Task EveryReference_MeetsAnObject(string[] settings)
    {
        foreach (var chart in await charts.AllAsync(settings))
        {
            var secrets = chart.Of("Secret").Select(Chart.Name).Append("rabbit").Append("llama-keys").Append("gpt-keys").ToHashSet();
            foreach (var (_, _, pod) in chart.Pods())
            {
                var containers = Chart.Containers(pod).ToList();
                Assert.All(
                    containers.SelectMany(container => Chart.List(container["envFrom"])),
                    source => chart.Get("ConfigMap", (string)source["configMapRef"]!["name"]!));
                Assert.All(
                    Chart.List(pod["spec"]!["volumes"]).Where(volume => volume["configMap"] is not null),
                    volume => chart.Get("ConfigMap", (string)volume["configMap"]!["name"]!));
                Assert.All(
                    containers.SelectMany(container => Chart.List(container["env"]))
                        .Where(variable => variable["valueFrom"]?["secretKeyRef"] is not null),
                    variable => Assert.Contains((string)variable["valueFrom"]!["secretKeyRef"]!["name"]!, secrets));
                Assert.All(
                    Chart.List(pod["spec"]!["volumes"]).Where(volume => volume["persistentVolumeClaim"] is not null),
                    volume => Assert.Equal("weights", (string?)volume["persistentVolumeClaim"]!["claimName"]));
                if ((string?)pod["spec"]!["serviceAccountName"] is { } account)
                {
                    chart.Get("ServiceAccount", account);
                }

                CheckMounts(pod, containers, chart);
            }

            Assert.All(
                chart.Of("TriggerAuthentication").SelectMany(item => Chart.List(item["spec"]!["secretTargetRef"])),
                target => Assert.Contains((string)target["name"]!, secrets));
        }
    }

    [Fact]
    public async Task Selectors_MatchTheLabelsOfPods()
    {
        foreach (var chart in await charts.AllAsync())
        {
            Assert.All(
                chart.Pods(), item => Assert.True(Chart.Matches(item.Workload["spec"]!["selector"]!["matchLabels"], item.Pod), item.Name));
            Assert.All(
                chart.Of("Service"), service => Assert.Single(chart.Pods(), item => Chart.Matches(service["spec"]!["selector"], item.Pod)));
            Assert.All(
                chart.Of("PodDisruptionBudget"),
                budget => Assert.Single(chart.Pods(), item => Chart.Matches(budget["spec"]!["selector"]!["matchLabels"], item.Pod)));
            Assert.All(
                chart.Of("NetworkPolicy"),
                policy => Assert.Contains(chart.Pods(), item => Chart.Matches(policy["spec"]!["podSelector"]!["matchLabels"], item.Pod)));
            Assert.All(chart.Pods(), item => Assert.All(
                Chart.List(item.Pod["spec"]!["topologySpreadConstraints"]),
                constraint => Assert.True(Chart.Matches(constraint["labelSelector"]!["matchLabels"], item.Pod), item.Name)));
        }
    }

    [Fact]
    public async Task Ports_OfServicesIngressesProbesAndPolicies_Exist()
    {
        foreach (var chart in await charts.AllAsync(ChartScenarios.Ingress))
        {
            foreach (var service in chart.Of("Service"))
            {
                var ports = chart.Pods().Where(item => Chart.Matches(service["spec"]!["selector"], item.Pod))
                    .SelectMany(item => Ports(item.Pod)).ToHashSet();
                Assert.All(Chart.List(service["spec"]!["ports"]), port => Assert.Contains(port["targetPort"]!.ToString(), ports));
            }

            var backend = Assert.Single(chart.Of("Ingress"))["spec"]!["rules"]![0]!["http"]!["paths"]![0]!["backend"]!["service"]!;
            Assert.Contains(
                Chart.List(chart.Get("Service", (string)backend["name"]!)["spec"]!["ports"]),
                port => (string?)port["name"] == (string?)backend["port"]!["name"]);

            foreach (var (name, _, pod) in chart.Pods())
            {
                var ports = Ports(pod).ToHashSet();
                Assert.Equal(ports.Count, Ports(pod).Count());
                Assert.All(
                    Chart.Containers(pod).SelectMany(Probes).Where(probe => probe["httpGet"] is not null),
                    probe => Assert.Contains(probe["httpGet"]!["port"]!.ToString(), ports));
                Assert.All(
                    chart.Of("NetworkPolicy").Where(policy => Chart.Matches(policy["spec"]!["podSelector"]!["matchLabels"], pod))
                        .SelectMany(policy => Chart.List(policy["spec"]!["ingress"])),
                    rule =>
                        Assert.All(
                            Chart.List(rule["ports"]), port => Assert.True(ports.Contains(port["port"]!.ToString()), $"{name}: {port}")));
            }
        }
    }

    [Fact]
    public async Task ScaledObjects_ScaleADeploymentWithoutANumberOnTheQueueOfItsWorkers()
    {
        foreach (var chart in await charts.AllAsync())
        {
            var models = new HashSet<string>();
            foreach (var scaling in chart.Of("ScaledObject"))
            {
                var deployment = chart.Get("Deployment", (string)scaling["spec"]!["scaleTargetRef"]!["name"]!);
                Assert.Null(deployment["spec"]!["replicas"]);
                var settings = PodSettings.Of(chart, Assert.Single(Chart.List(deployment["spec"]!["template"]!["spec"]!["containers"])));
                var trigger = Assert.Single(Chart.List(scaling["spec"]!["triggers"]));
                var queue = QueueNames.Job(settings["Model__Name"], settings["Model__Version"]);
                var pattern = new Regex((string)trigger["metadata"]!["queueName"]!);
                Assert.All([queue, QueueNames.Resume(queue)], lane => Assert.Matches(pattern, lane));
                Assert.All(
                    [QueueNames.Dead, $"{queue}s", queue.Replace('.', '-'), QueueNames.Job(settings["Model__Name"], "0")],
                    other => Assert.DoesNotMatch(pattern, other));
                Assert.Equal(("true", "max"), ((string?)trigger["metadata"]!["useRegex"], (string?)trigger["metadata"]!["operation"]));
                Assert.Equal(
                    ("http", "QueueLength", "false"),
                    (
                        (string?)trigger["metadata"]!["protocol"], (string?)trigger["metadata"]!["mode"],
                        (string?)trigger["metadata"]!["excludeUnacknowledged"]));
                Assert.Equal("http://messaging-service.models.svc:15672/", (string?)trigger["metadata"]!["host"]);
                chart.Get("TriggerAuthentication", (string)trigger["authenticationRef"]!["name"]!);
                Assert.True((int)scaling["spec"]!["minReplicaCount"]! <= (int)scaling["spec"]!["maxReplicaCount"]!);
                models.Add($"{settings["Model__Name"]} {settings["Model__Version"]}");
            }

            // The gateway sends to the same queues.
            var gateway = PodSettings.Of(
                chart,
                Assert.Single(Chart.List(chart.Get("Deployment", "gateway-deployment")["spec"]!["template"]!["spec"]!["containers"])));
            var known = Enumerable.Range(0, models.Count)
                .Select(index => $"{gateway[$"Models__{index}__Name"]} {gateway[$"Models__{index}__Version"]}");
            Assert.Equal(models.Order(StringComparer.Ordinal), known.Order(StringComparer.Ordinal));
        }
    }

    [Fact]
    public async Task Scaling_FollowsFromTheOptions()
    {
        var chart = await Chart.RenderAsync(await charts.PublishAsync(
            static pools =>
                pools.AddOnnxChat("chat", "models/tiny-chat", "A model.", pool => (pool.JobsPerReplica, pool.MaxReplicas) = (10, 7)),
                "--Pools:chat:MaxReplicas=9"));

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
        var chart = await Chart.RenderCommittedAsync(ChartScenarios.Version);

        Assert.Equal(
            @"^infer\.tiny-chat\.v2\.(default|resume)$",
            (string?)chart.Get("ScaledObject", "tiny-chat-scaling")["spec"]!["triggers"]![0]!["metadata"]!["queueName"]);
        Assert.Equal("v2", PodSettings.Of(chart, chart.Container("tiny-chat"))["Model__Version"]);
        Assert.Equal("v2", PodSettings.Of(chart, chart.Container("gateway"))["Models__1__Version"]);
    }

    [Fact]
    public void Values_HaveASchemaThatKnowsNoOthers()
    {
        var schema = JsonNode.Parse(File.ReadAllText(Path.Combine(ChartFixture.Committed, "values.schema.json")))!;

        var pools = schema["properties"]!["pools"]!;
        Assert.False((bool)pools["additionalProperties"]!);
        Assert.Equal(["sentiment", "tiny_chat"], pools["properties"]!.AsObject().Select(pool => pool.Key));
        Assert.Equal("integer", (string?)pools["properties"]!["tiny_chat"]!["properties"]!["maxReplicas"]!["type"]);
        Assert.Equal("boolean", (string?)schema["properties"]!["ingress"]!["properties"]!["enabled"]!["type"]);
        Assert.Equal(1, (int?)pools["properties"]!["tiny_chat"]!["properties"]!["maxReplicas"]!["minimum"]);
        Assert.Equal("array", (string?)schema["properties"]!["deletionCost"]!["properties"]!["apiPeers"]!["type"]);
        Assert.True(schema["properties"]!.AsObject().ContainsKey("global"));
    }

    [Fact]
    public async Task Gpus_AreRequestedAsLimitedAndKeepPodsToNodesThatHaveThem()
    {
        var chart = await charts.RenderEveryKindAsync();
        var computing = new HashSet<string>();
        foreach (var (name, _, pod) in chart.Pods())
        {
            var gpus = Chart.Containers(pod)
                .Where(
                    container =>
                        container["resources"]!["limits"]!.AsObject()
                            .Any(limit => limit.Key.StartsWith("nvidia.com/", StringComparison.Ordinal))).ToList();
            Assert.Equal(gpus.Count > 0, pod["spec"]!["nodeSelector"]!["nvidia.com/gpu.present"] is not null);
            if (gpus.Count > 0)
            {
                computing.Add(name);
                var limits = Assert.Single(gpus)["resources"]!["limits"]!;
                var key = limits.AsObject().Single(limit => limit.Key.StartsWith("nvidia.com/", StringComparison.Ordinal)).Key;
                Assert.Equal((string?)limits[key], (string?)gpus[0]["resources"]!["requests"]![key]);
                Assert.Equal("true", (string?)pod["spec"]!["nodeSelector"]!["nvidia.com/gpu.present"]);
                Assert.Equal("linux", (string?)pod["spec"]!["nodeSelector"]!["kubernetes.io/os"]);
                Assert.Equal("nvidia.com/gpu", (string?)Assert.Single(Chart.List(pod["spec"]!["tolerations"]))["key"]);
            }
        }

        Assert.Equal(["llama-deployment", "onnx-deployment", "toxicity-deployment"], computing.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task EveryPart_HasItsOwnNodesAndAllHaveTheCredentialsOfTheRegistry()
    {
        var chart = await Chart.RenderCommittedAsync(ChartScenarios.Placement);

        Assert.Equal(ChartScenarios.Parts.Order(StringComparer.Ordinal), chart.Pods().Select(item => item.Pod["spec"]!).Select(pod =>
        {
            Assert.Equal("""[{"name":"registry"}]""", pod["imagePullSecrets"]!.ToJsonString());
            var part = (string)pod["nodeSelector"]!["example/part"]!;
            Assert.Equal($$"""[{"key":"{{part}}","operator":"Exists"}]""", pod["tolerations"]!.ToJsonString());
            Assert.Equal(part, (string?)pod["priorityClassName"]);
            return part;
        }).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task AServer_IsASidecarThatStartsBeforeItsWorkerAndComputesTheModelForIt()
    {
        var chart = await charts.RenderEveryKindAsync();

        var pod = chart.Get("Deployment", "llama-deployment")["spec"]!["template"]!;
        var server = Assert.Single(Chart.List(pod["spec"]!["initContainers"]));
        Assert.Equal("Always", (string?)server["restartPolicy"]);
        Assert.Contains(
            "http://127.0.0.1:8000/health", server["startupProbe"]!["exec"]!["command"]!.ToJsonString(), StringComparison.Ordinal);
        Assert.Equal("secret:llama-keys/HF_TOKEN", PodSettings.Of(chart, server)["HF_TOKEN"]);
        Assert.Equal("http://localhost:8000/v1", PodSettings.Of(chart, chart.Container("llama"))["OpenAI__Endpoint"]);
        Assert.Contains(Chart.List(server["volumeMounts"]), mount => (string?)mount["mountPath"] == "/dev/shm");
        Assert.DoesNotContain(chart.Objects, item => Chart.Name(item).StartsWith("llama-server", StringComparison.Ordinal));
        Assert.Equal(0, (int)chart.Get("Deployment", "llama-deployment")["spec"]!["strategy"]!["rollingUpdate"]!["maxSurge"]!);
    }

    // Servers ask nobody for a key: what could reach them from outside of the pod could use them, and routes of theirs that nobody should
    // reach.
    [Fact]
    public async Task Servers_ListenInsideTheirPodOnlyAndFetchNothingThatAMessageNames()
    {
        var chart = await charts.RenderEveryKindAsync();

        Assert.Equal(
            (string[])["--allowed-media-domains", "none.invalid", "--host", "127.0.0.1"],
            Arguments("llama").Intersect(["--allowed-media-domains", "none.invalid", "--host", "127.0.0.1"]));
        Assert.Equal("0", PodSettings.Of(chart, Server("llama"))["VLLM_MEDIA_URL_ALLOW_REDIRECTS"]);
        Assert.Equal((string[])["--host", "127.0.0.1"], Arguments("qwen").Intersect(["--host", "127.0.0.1"]));
        Assert.Equal(
            (string[])["--http-address=127.0.0.1", "--grpc-address=127.0.0.1", "--metrics-address=127.0.0.1"],
            Arguments("toxicity").Intersect(["--http-address=127.0.0.1", "--grpc-address=127.0.0.1", "--metrics-address=127.0.0.1"]));
        Assert.Equal("127.0.0.1:11434", PodSettings.Of(chart, Server("small"))["OLLAMA_HOST"]);
        Assert.All(["llama", "qwen", "toxicity", "small"], pool =>
        {
            Assert.Null(Server(pool)["ports"]);
            Assert.DoesNotContain("0.0.0.0", Arguments(pool));
            Assert.All(Probes(Server(pool)), probe => Assert.NotNull(probe["exec"]));
        });

        JsonNode Server(string pool) => Assert.Single(
            Chart.List(chart.Get("Deployment", $"{pool}-deployment")["spec"]!["template"]!["spec"]!["initContainers"]));
        IEnumerable<string> Arguments(string pool) => Chart.List(Server(pool)["args"]).Select(argument => (string)argument!);
    }

    [Fact]
    public async Task AnIngress_HasTheClustersClassAndWhatItsControllerIsTold()
    {
        Assert.Null(Assert.Single((await Chart.RenderCommittedAsync(ChartScenarios.Ingress)).Of("Ingress"))["spec"]!["ingressClassName"]);

        var ingress = Assert.Single((await Chart.RenderCommittedAsync(ChartScenarios.IngressOfAKind)).Of("Ingress"));
        Assert.Equal("traefik", (string?)ingress["spec"]!["ingressClassName"]);
        Assert.Equal("off", (string?)ingress["metadata"]!["annotations"]!["example.org/buffering"]);
    }

    // The cluster's own, a cache on each node, and OpenShift's; or what somebody names.
    [Fact]
    public async Task Names_AreLookedUpWhereAClusterMayHaveThem()
    {
        foreach (var policy in (await charts.AllAsync()).SelectMany(chart => chart.Of("NetworkPolicy"))
            .Where(policy => policy["metadata"]!["name"]!.ToString().EndsWith("-network", StringComparison.Ordinal)))
        {
            var rule = Assert.Single(
                Chart.List(policy["spec"]!["egress"]), rule => Chart.List(rule["ports"]).Any(port => (int)port["port"]! == 53));
            Assert.Equal(
                ["TCP 53", "TCP 5353", "UDP 53", "UDP 5353"],
                Chart.List(rule["ports"]).Select(port => $"{port["protocol"]} {port["port"]}").Order(StringComparer.Ordinal));
            var peers = rule["to"]!.ToJsonString();
            Assert.All(
                ["kube-dns", "169.254.20.10/32", "openshift-dns"], server => Assert.Contains(server, peers, StringComparison.Ordinal));
        }

        foreach (var policy in (await charts.AllAsync(ChartScenarios.OtherDns)).SelectMany(chart => chart.Of("NetworkPolicy"))
            .Where(policy => policy.ToJsonString().Contains("5353", StringComparison.Ordinal)))
        {
            Assert.Contains("""[{"ipBlock":{"cidr":"10.0.0.10/32"}}]""", policy.ToJsonString(), StringComparison.Ordinal);
            Assert.DoesNotContain("kube-dns", policy.ToJsonString(), StringComparison.Ordinal);
        }
    }

    private static void CheckMounts(JsonNode pod, List<JsonNode> containers, Chart chart)
    {
        var claims = chart.Of("StatefulSet").SelectMany(set => Chart.List(set["spec"]!["volumeClaimTemplates"]))
            .Select(claim => (string)claim["metadata"]!["name"]!);
        var volumes = Chart.List(pod["spec"]!["volumes"]).Select(volume => (string)volume["name"]!).ToList();
        Assert.Equal(volumes.Count, volumes.Distinct().Count());
        var mounted = containers.SelectMany(container => Chart.List(container["volumeMounts"])).Select(mount => (string)mount["name"]!)
            .ToHashSet();
        Assert.Subset(volumes.Concat(claims).ToHashSet(), mounted);
        Assert.Subset(mounted, volumes.ToHashSet());
        Assert.All(containers, container => Assert.Equal(
            Chart.List(container["volumeMounts"]).Count(),
            Chart.List(container["volumeMounts"]).DistinctBy(mount => (string)mount["mountPath"]!).Count()));
    }

    private static IEnumerable<string> Ports(JsonNode pod) =>
        Chart.Containers(pod).SelectMany(container => Chart.List(container["ports"]))
            .SelectMany(port => new[] { (string)port["name"]!, port["containerPort"]!.ToString() });

    private static IEnumerable<JsonNode> Probes(JsonNode container) =>
        new[] { container["startupProbe"], container["readinessProbe"], container["livenessProbe"] }.OfType<JsonNode>();
}
