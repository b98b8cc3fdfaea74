using System.Globalization;
using AgentPlatform.AppHost.Kubernetes.Chart;
using AgentPlatform.AppHost.Kubernetes.Workloads;
using AgentPlatform.ServiceDefaults;

namespace AgentPlatform.Tests.Kubernetes;

/// <summary>Any part can be replaced without a failed request, by what the objects say: the checklist.</summary>
[Trait("Category", "Helm")]
public sealed class ChartAvailabilityTests(ChartFixture charts) : IClassFixture<ChartFixture>
{
    [Fact]
    public async Task Probes_OfOurServices_AskTheirHealthEndpoints()
    {
        foreach (var chart in await charts.AllAsync())
        {
            foreach (var container in chart.Of("Deployment")
                .Select(item => Assert.Single(Chart.List(item["spec"]!["template"]!["spec"]!["containers"]))))
            {
                Assert.Equal(ServiceDefaultsExtensions.HealthPath, (string?)container["startupProbe"]!["httpGet"]!["path"]);
                Assert.Equal(ServiceDefaultsExtensions.ReadinessPath, (string?)container["readinessProbe"]!["httpGet"]!["path"]);
                Assert.Equal(ServiceDefaultsExtensions.LivenessPath, (string?)container["livenessProbe"]!["httpGet"]!["path"]);
            }
        }
    }

    [Fact]
    public async Task ReplacingPods_NeverLeavesFewerThanThereWere_OrNeedsNoGpuMore()
    {
        foreach (var chart in await charts.AllAsync())
        {
            foreach (var deployment in chart.Of("Deployment"))
            {
                var update = deployment["spec"]!["strategy"]!["rollingUpdate"]!;
                Assert.Equal(deployment["spec"]!["template"]!["spec"]!["nodeSelector"]!["nvidia.com/gpu.present"] is null ? (1, 0) : (0, 1),
                    ((int)update["maxSurge"]!, (int)update["maxUnavailable"]!));
                Assert.Equal(Chart.Name(deployment) == "gateway-deployment" ? 2 : null, (int?)deployment["spec"]!["replicas"]);
            }
        }
    }

    [Fact]
    public async Task EveryDeployment_HasABudgetForNodesThatAreEmptied()
    {
        foreach (var chart in await charts.AllAsync())
        {
            Assert.All(chart.Of("Deployment"), deployment => Assert.Equal(1, (int)Assert.Single(
                chart.Of("PodDisruptionBudget"), budget =>
                    Chart.Matches(budget["spec"]!["selector"]!["matchLabels"],
                        deployment["spec"]!["template"]!))["spec"]!["maxUnavailable"]!));
        }
    }

    [Fact]
    public async Task GracePeriods_AreLongerThanThePauseAndTheDrain()
    {
        foreach (var chart in await charts.AllAsync())
        {
            foreach (var deployment in chart.Of("Deployment"))
            {
                var pod = deployment["spec"]!["template"]!["spec"]!;
                var container = Assert.Single(Chart.List(pod["containers"]));
                var pause = (int?)container["lifecycle"]?["preStop"]!["sleep"]!["seconds"] ?? 0;
                var drain = TimeSpan.Parse(PodSettings.Of(chart, container)["Stopping__DrainTimeout"],
                    CultureInfo.InvariantCulture).TotalSeconds;
                Assert.True((int)pod["terminationGracePeriodSeconds"]! >= pause + drain + 10, Chart.Name(deployment));
            }
        }
    }

    [Fact]
    public async Task TheGateway_ThatIsToStop_ListensOnByItselfUntilNobodySendsToIt()
    {
        foreach (var chart in await charts.AllAsync())
        {
            // A sleep before the signal would only keep the gateway from closing its connections in time.
            Assert.Null(chart.Container("gateway")["lifecycle"]);
            var settings = PodSettings.Of(chart, chart.Container("gateway"));
            var listen = TimeSpan.Parse(settings["Stopping__ListenTime"], CultureInfo.InvariantCulture);
            Assert.True(listen >= TimeSpan.FromSeconds(10));
            Assert.Equal(listen + new KubernetesOptions().GatewayDrainTimeout,
                TimeSpan.Parse(settings["Stopping__DrainTimeout"], CultureInfo.InvariantCulture));
        }
    }

    [Fact]
    public async Task Workers_ThatAreToStop_PauseUntilNobodySendsToThem()
    {
        foreach (var chart in await charts.AllAsync())
        {
            Assert.All(chart.Of("ScaledObject"), scaling =>
            {
                var deployment = chart.Get("Deployment", (string)scaling["spec"]!["scaleTargetRef"]!["name"]!);
                var worker = deployment["spec"]!["template"]!["spec"]!["containers"]![0]!;
                Assert.Equal((int)StopTimes.PreStop.TotalSeconds, (int)worker["lifecycle"]!["preStop"]!["sleep"]!["seconds"]!);
            });
        }
    }

    [Fact]
    public async Task Workers_AreNotTakenAwayWhileNobodyKnowsTheLengthOfTheQueueOrForAMomentWithoutJobs()
    {
        foreach (var chart in await charts.AllAsync())
        {
            Assert.All(chart.Of("ScaledObject").Select(scaling => scaling["spec"]!), spec =>
            {
                Assert.Equal("currentReplicasIfHigher", (string?)spec["fallback"]!["behavior"]);
                Assert.Equal((int)spec["minReplicaCount"]!, (int)spec["fallback"]!["replicas"]!);
                Assert.Equal(300,
                    (int)spec["advanced"]!["horizontalPodAutoscalerConfig"]!["behavior"]!["scaleDown"]!["stabilizationWindowSeconds"]!);
            });
        }
    }

    // KEDA warns, at each installation, of settings that mean nothing to a pool with a worker at least.
    [Fact]
    public async Task Scaling_HasSettingsOfZeroWhereThereMayBeNoWorkerOnly()
    {
        foreach (var spec in (await charts.AllAsync()).Append(await Chart.RenderCommittedAsync(ChartScenarios.FromZero))
            .SelectMany(chart => chart.Of("ScaledObject")).Select(item => item["spec"]!))
        {
            var isFromZero = (int)spec["minReplicaCount"]! == 0;
            Assert.Equal((isFromZero ? 5 : null, isFromZero ? 300 : null), ((int?)spec["pollingInterval"], (int?)spec["cooldownPeriod"]));
        }
    }

    [Fact]
    public async Task TheBroker_KeepsItsJobsWhileItIsReplaced()
    {
        foreach (var chart in await charts.AllAsync())
        {
            var spec = Assert.Single(chart.Of("StatefulSet"))["spec"]!;
            var claim = Assert.Single(Chart.List(spec["volumeClaimTemplates"]));
            Assert.Contains(
                Chart.List(spec["template"]!["spec"]!["containers"]![0]!["volumeMounts"]),
                mount => (string?)mount["name"] == (string?)claim["metadata"]!["name"]
                    && (string?)mount["mountPath"] == "/var/lib/rabbitmq");
            Assert.True((int)spec["template"]!["spec"]!["terminationGracePeriodSeconds"]! >= 60);

            // It is asked for connections, so that clients come when it takes them.
            Assert.Contains("check_port_connectivity",
                Chart.List(spec["template"]!["spec"]!["containers"]![0]!["readinessProbe"]!["exec"]!["command"])
                    .Select(part => (string)part!));
        }
    }

    [Fact]
    public async Task ABrokerOfThree_FindsItselfKeepsAMajorityAndIsReplacedOneByOne()
    {
        foreach (var chart in await charts.AllAsync(ChartScenarios.BrokerOfThree))
        {
            var spec = Assert.Single(chart.Of("StatefulSet"))["spec"]!;
            Assert.Equal((3, "Parallel"), ((int)spec["replicas"]!, (string?)spec["podManagementPolicy"]));
            var nodes = chart.Get("Service", (string)spec["serviceName"]!)["spec"]!;
            Assert.Equal(("None", true), ((string?)nodes["clusterIP"], (bool)nodes["publishNotReadyAddresses"]!));
            Assert.True(Chart.Matches(nodes["selector"], spec["template"]!));

            var settings = PodSettings.Of(chart, spec["template"]!["spec"]!["containers"]![0]!);
            var configuration = (string)chart.Get("ConfigMap", "messaging-files")["data"]!["agentplatform.conf"]!;
            Assert.Equal("true", settings["RABBITMQ_USE_LONGNAME"]);
            Assert.All(Enumerable.Range(0, 3), node => Assert.Contains(
                $"\ncluster_formation.classic_config.nodes.{node + 1} = " +
                $"{settings["RABBITMQ_NODENAME"].Replace("$(POD_NAME)", $"messaging-statefulset-{node}", StringComparison.Ordinal)}\n",
                configuration, StringComparison.Ordinal));
            Assert.Equal("secret:messaging-users/erlang-cookie",
                PodSettings.Of(chart, spec["template"]!["spec"]!["initContainers"]![0]!)["ERLANG_COOKIE"]);

            Assert.Contains(chart.Of("PodDisruptionBudget"), budget =>
                Chart.Matches(budget["spec"]!["selector"]!["matchLabels"], spec["template"]!));
            Assert.Equal("DoNotSchedule", (string?)spec["template"]!["spec"]!["topologySpreadConstraints"]![0]!["whenUnsatisfiable"]);
            Assert.Contains("await_online_quorum_plus_one",
                spec["template"]!["spec"]!["containers"]![0]!["lifecycle"]!["preStop"]!["exec"]!["command"]!.ToJsonString(),
                StringComparison.Ordinal);
            var policy = chart.Get("NetworkPolicy", "messaging-cluster")["spec"]!;
            Assert.Equal([4369, 25672], Chart.List(policy["ingress"]![0]!["ports"]).Select(port => (int)port["port"]!));
        }

        // One node keeps the name that it had, and with it its queues.
        var one = Assert.Single((await Chart.RenderCommittedAsync()).Of("StatefulSet"))["spec"]!;
        Assert.Equal(("messaging-service", 1), ((string?)one["serviceName"], (int)one["replicas"]!));
        Assert.Equal("rabbit@$(POD_NAME)",
            PodSettings.Of(await Chart.RenderCommittedAsync(), one["template"]!["spec"]!["containers"]![0]!)["RABBITMQ_NODENAME"]);
    }

    [Fact]
    public async Task GracePeriod_FollowsTheDrainTimeout()
    {
        var chart = await Chart.RenderAsync(await charts.PublishAsync(static pools =>
            pools.AddOnnxChat("chat", "models/tiny-chat", "A model."), "--Pools:chat:DrainTimeout=00:05:00"));

        Assert.Equal("00:05:00", PodSettings.Of(chart, chart.Container("chat"))["Stopping__DrainTimeout"]);
        Assert.Equal(320, (int)chart.Get("Deployment", "chat-deployment")["spec"]!["template"]!["spec"]!["terminationGracePeriodSeconds"]!);
    }

    [Fact]
    public async Task TheGateway_HasTwoAtLeastAndScalesOnItsOwn()
    {
        foreach (var chart in await charts.AllAsync(ChartScenarios.WithoutKeda))
        {
            Assert.Empty(chart.Of("ScaledObject"));
            var autoscaler = Assert.Single(chart.Of("HorizontalPodAutoscaler"))["spec"]!;
            Assert.Equal("gateway-deployment", (string?)autoscaler["scaleTargetRef"]!["name"]);
            Assert.True((int)autoscaler["minReplicas"]! >= 2);
            Assert.Equal("cpu", (string?)autoscaler["metrics"]![0]!["resource"]!["name"]);

            // A percentage of what a pod asks for.
            Assert.NotNull(chart.Container("gateway")["resources"]!["requests"]!["cpu"]);
        }
    }

    [Fact]
    public async Task Sidecars_OutliveTheWorkersThatNeedThem()
    {
        var chart = await charts.RenderEveryKindAsync();

        // Containers that restart among those that come first are stopped last.
        var sidecars = chart.Pods().Where(item => (string?)item.Workload["kind"] == "Deployment")
            .SelectMany(item => Chart.List(item.Pod["spec"]!["initContainers"])).ToList();
        Assert.Equal(4, sidecars.Count);
        Assert.All(sidecars, sidecar => Assert.Equal("Always", (string?)sidecar["restartPolicy"]));
        Assert.All(sidecars, sidecar => Assert.NotNull(sidecar["startupProbe"]));
    }
}
