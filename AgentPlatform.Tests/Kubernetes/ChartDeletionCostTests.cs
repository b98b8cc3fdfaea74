using System.Text.Json.Nodes;
using AgentPlatform.Worker.Scaling;

namespace AgentPlatform.Tests.Kubernetes;

/// <summary>Workers may write the deletion cost of pods, and nobody may do anything else with the cluster's API.</summary>
[Trait("Category", "Helm")]
public sealed class ChartDeletionCostTests(ChartFixture charts) : IClassFixture<ChartFixture>
{
    private const string TokenFolder = "/var/run/secrets/kubernetes.io/serviceaccount";

    [Fact]
    public async Task EveryPool_HasAnAccountThatMayWriteTheStatusOfPodsOnly()
    {
        foreach (var chart in await charts.AllAsync())
        {
            foreach (var (name, pod) in Workers(chart))
            {
                var account = chart.Get("ServiceAccount", (string)pod["spec"]!["serviceAccountName"]!);
                Assert.True((bool)account["automountServiceAccountToken"]!, name);
                var binding = Assert.Single(
                    chart.Of("RoleBinding"), item => (string?)Assert.Single(Chart.List(item["subjects"]))["name"] == Chart.Name(account));
                Assert.Equal("models", (string?)binding["subjects"]![0]!["namespace"]);
                var rule = Assert.Single(Chart.List(chart.Get("Role", (string)binding["roleRef"]!["name"]!)["rules"]));
                Assert.Equal("""{"apiGroups":[""],"resources":["pods/status"],"verbs":["patch"]}""", rule.ToJsonString());

                var settings = PodSettings.Of(chart, Assert.Single(Chart.List(pod["spec"]!["containers"])));
                Assert.Equal("true", settings["Kubernetes__DeletionCost"]);
                Assert.Equal("field:metadata.name", settings["Kubernetes__PodName"]);
                Assert.Equal(TokenFolder, new PodOptions().Credentials);
            }

            Assert.Equal(Workers(chart).Count(), chart.Of("RoleBinding").Count());
            Assert.Empty(chart.Of("ClusterRole"));
        }
    }

    [Fact]
    public async Task OnlyTheWorker_SeesTheToken()
    {
        var chart = await charts.RenderEveryKindAsync();

        Assert.All(Workers(chart).SelectMany(item => Chart.List(item.Pod["spec"]!["initContainers"])), server =>
            Assert.Contains(
                Chart.List(server["volumeMounts"]),
                mount => (string?)mount["mountPath"] == TokenFolder && (string?)mount["name"] == "tmp"));
        Assert.DoesNotContain(
            Workers(chart).SelectMany(item => Chart.List(item.Pod["spec"]!["containers"]))
                .SelectMany(worker => Chart.List(worker["volumeMounts"])),
            mount =>
            (string?)mount["mountPath"] == TokenFolder);
    }

    [Fact]
    public async Task Workers_ReachTheApiOfTheCluster()
    {
        var chart = await Chart.RenderCommittedAsync(ChartScenarios.ApiAddresses);

        var rule = Assert.Single(Chart.List(chart.Get("NetworkPolicy", "sentiment-api")["spec"]!["egress"]));
        Assert.Equal("10.0.0.1/32", (string?)Assert.Single(Chart.List(rule["to"]))["ipBlock"]!["cidr"]);
        Assert.Equal([443, 16443], Chart.List(rule["ports"]).Select(port => (int)port["port"]!));
        Assert.Empty((await Chart.RenderCommittedAsync(ChartScenarios.WithoutPolicies)).Of("NetworkPolicy"));

        // By default not all that there is.
        var byDefault = Assert.Single(
            Chart.List((await Chart.RenderCommittedAsync()).Get("NetworkPolicy", "sentiment-api")["spec"]!["egress"]));
        Assert.NotEmpty(Chart.List(byDefault["to"]));
        Assert.All(Chart.List(byDefault["to"]), peer => Assert.DoesNotMatch("/0$", (string)peer["ipBlock"]!["cidr"]!));
    }

    [Fact]
    public async Task SwitchedOff_NoPodHasATokenAndNobodyMayDoAnything()
    {
        foreach (var chart in await charts.AllAsync(ChartScenarios.WithoutDeletionCost))
        {
            Assert.Empty(
                chart.Of("Role").Concat(chart.Of("RoleBinding")).Concat(chart.Of("ValidatingAdmissionPolicy"))
                    .Concat(chart.Of("ValidatingAdmissionPolicyBinding")));
            Assert.All(chart.Of("ServiceAccount"), account => Assert.False((bool)account["automountServiceAccountToken"]!));
            Assert.DoesNotContain(chart.Of("NetworkPolicy"), policy => Chart.Name(policy).EndsWith("-api", StringComparison.Ordinal));
            Assert.All(
                Workers(chart),
                item =>
                    Assert.Equal(
                        "false",
                        PodSettings.Of(chart, Assert.Single(Chart.List(item.Pod["spec"]!["containers"])))["Kubernetes__DeletionCost"]));
        }
    }

    [Fact]
    public async Task APoolWithoutIt_HasNoAccount()
    {
        var chart = await Chart.RenderAsync(
            await charts.PublishAsync(
                static pools => pools.AddOnnxChat("chat", "models/tiny-chat", "A model."), "--Pools:chat:DeletionCost=false"));

        var pod = chart.Get("Deployment", "chat-deployment")["spec"]!["template"]!["spec"]!;
        Assert.False((bool)pod["automountServiceAccountToken"]!);
        Assert.Null(pod["serviceAccountName"]);
        Assert.Empty(chart.Of("ServiceAccount").Concat(chart.Of("Role")));
        Assert.False(PodSettings.Of(chart, chart.Container("chat")).ContainsKey("Kubernetes__DeletionCost"));
    }

    private static IEnumerable<(string Name, JsonNode Pod)> Workers(Chart chart) =>
        chart.Pods().Where(item => (string?)item.Workload["kind"] == "Deployment" && item.Name != "gateway-deployment")
            .Select(item => (item.Name, item.Pod));
}
