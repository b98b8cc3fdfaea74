using System.Text;
using System.Text.Json.Nodes;

namespace AgentPlatform.Tests.Kubernetes.Helm;

/// <summary>
/// The life of a release: what Helm sends when it is installed, upgraded, taken back and removed, and what stays the same meanwhile.
/// </summary>
[Trait("Category", "Helm")]
public sealed class HelmReleaseTests : IAsyncLifetime
{
    private HelmCluster _cluster = null!;

    public async Task InitializeAsync() => _cluster = await HelmCluster.StartAsync();

    public async Task DisposeAsync() => await _cluster.DisposeAsync();

    [Fact]
    public async Task Install_MakesTheObjectsOfTheChartAndPrintsNoSecret()
    {
        var output = await InstallAsync();

        Assert.Equal(
            (await Chart.RenderCommittedAsync()).Objects.Select(item => $"{item["kind"]} {Chart.Name(item)}").Order(StringComparer.Ordinal),
            _cluster.Names());
        Assert.Equal(4, _cluster.Passwords().Values.Distinct().Count());
        Assert.Contains("port-forward service/gateway-service 8080:8080\n", output, StringComparison.Ordinal);
        AssertNoSecretIn(output);
    }

    [Fact]
    public async Task UpgradeAndRollback_ReplaceWhatChangedAndKeepThePasswords()
    {
        await InstallAsync();
        var passwords = _cluster.Passwords();

        AssertNoSecretIn(
            (
                await _cluster.HelmAsync(
                    [
                        "upgrade", Chart.Release, ChartFixture.Committed, .. HelmSettings.Arguments(), "--reuse-values", "--set",
                        "gateway.cpu=110m", "--atomic", "--timeout", "2m",
                    ])).Checked());
        Assert.Equal("110m", GatewayCpu());
        Assert.Equal(passwords, _cluster.Passwords());

        AssertNoSecretIn((await _cluster.HelmAsync("rollback", Chart.Release, "1", "--wait", "--timeout", "2m")).Checked());
        Assert.Equal("500m", GatewayCpu());
        Assert.Equal(passwords, _cluster.Passwords());

        // What the workflows read to find the way back.
        var history = JsonNode.Parse((await _cluster.HelmAsync("history", Chart.Release, "--output", "json")).Checked())!.AsArray();
        Assert.Equal(["superseded", "superseded", "deployed"], history.Select(revision => (string)revision!["status"]!));
        Assert.Equal(3, (int)history[^1]!["revision"]!);
        var release = JsonNode.Parse((await _cluster.HelmAsync("list", "--filter", $"^{Chart.Release}$", "--output", "json")).Checked())!;
        Assert.StartsWith("agentplatform-", (string?)release[0]!["chart"], StringComparison.Ordinal);
        var values = JsonNode.Parse((await _cluster.HelmAsync("get", "values", Chart.Release, "--all", "--output", "json")).Checked())!;
        Assert.Equal("500m", (string?)values["gateway"]!["cpu"]);
    }

    [Fact]
    public async Task AnUpgrade_LeavesTheNumberOfReplicasToWhoeverScales()
    {
        await InstallAsync();
        foreach (var deployment in (string[])["tiny-chat-deployment", "gateway-deployment"])
        {
            (await _cluster.KubectlAsync("scale", "deployment", deployment, "--replicas", "4")).Checked();
        }

        (
            await _cluster.HelmAsync(
                [
                    "upgrade", Chart.Release, ChartFixture.Committed, .. HelmSettings.Arguments(), "--set", "gateway.cpu=110m", "--set",
                    "pools.tiny_chat.cpu=110m",
                ])).Checked();
        Assert.Equal((4, 4), (Replicas("tiny-chat-deployment"), Replicas("gateway-deployment")));

        // Another upgrade, once the autoscaler has set it, says nothing of it.
        (await _cluster.KubectlAsync("scale", "deployment", "gateway-deployment", "--replicas", "5")).Checked();
        (
            await _cluster.HelmAsync(
                ["upgrade", Chart.Release, ChartFixture.Committed, .. HelmSettings.Arguments(), "--set", "gateway.cpu=120m"])).Checked();
        Assert.Equal((4, 5), (Replicas("tiny-chat-deployment"), Replicas("gateway-deployment")));

        // The way back takes it along from the first installation, which the autoscaler then mends.
        (await _cluster.HelmAsync("rollback", Chart.Release, "1", "--force-conflicts")).Checked();
        Assert.Equal((4, 2), (Replicas("tiny-chat-deployment"), Replicas("gateway-deployment")));
    }

    [Fact]
    public async Task TheGateway_IsTwoFromTheFirstSecondAndStaysTwoThroughAnUpgrade()
    {
        await InstallAsync();
        Assert.Equal(2, Replicas("gateway-deployment"));

        (await _cluster.HelmAsync(["upgrade", Chart.Release, ChartFixture.Committed, .. HelmSettings.Arguments("gateway.cpu=110m")]))
            .Checked();
        Assert.Equal(2, Replicas("gateway-deployment"));
    }

    [Fact]
    public async Task WhatSomebodyHasPatched_IsTakenBackByAnUpgradeThatForcesIt()
    {
        await InstallAsync();
        (
            await _cluster.KubectlAsync(
                "patch", "scaledobject", "tiny-chat-scaling", "--type", "merge", "--patch",
                """{"spec":{"maxReplicaCount":50}}""")).Checked();
        string[] upgrade =
        [
            "upgrade", Chart.Release, ChartFixture.Committed,
            .. HelmSettings.Arguments("gateway.cpu=110m", "pools.tiny_chat.maxReplicas=7"), "--timeout", "2m",
        ];
        Assert.Contains("conflict", (await _cluster.HelmAsync(upgrade)).Refused(), StringComparison.Ordinal);

        (await _cluster.HelmAsync([.. upgrade, "--atomic", "--force-conflicts"])).Checked();
        Assert.Equal(7, (int)_cluster.Get("ScaledObject", "tiny-chat-scaling")["spec"]!["maxReplicaCount"]!);
    }

    [Fact]
    public async Task ASecondReleaseInANamespace_IsRefusedWithASentence()
    {
        await InstallAsync();

        var sentence = (await _cluster.HelmAsync(["install", "other", ChartFixture.Committed, .. HelmSettings.Arguments()])).Refused();

        Assert.Contains(
            "The namespace has a release of this chart under another name, and there is one in a namespace", sentence,
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task TheNotes_SayWhatIsMissingWithoutAMetricsServer(bool hasMetrics)
    {
        _cluster.HasMetrics = hasMetrics;

        Assert.Equal(!hasMetrics, (await InstallAsync()).Contains("The cluster has no metrics-server", StringComparison.Ordinal));
    }

    [Fact]
    public async Task AnUpgrade_TakesAwayWhatIsSwitchedOff()
    {
        await InstallAsync();

        (
            await _cluster.HelmAsync(
                [
                    "upgrade", Chart.Release, ChartFixture.Committed, .. HelmSettings.Arguments(), "--set", "keda.enabled=false", "--set",
                    "broker.tls.secretName=rabbit-tls",
                ])).Checked();

        Assert.DoesNotContain(_cluster.Names(), name => name.StartsWith("ScaledObject", StringComparison.Ordinal));
        Assert.StartsWith("amqps://", ConnectionString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task AnUpgradeWhosePodsDoNotComeUp_IsTakenBackByItself()
    {
        await InstallAsync();
        _cluster.Objects.IsReady = item => (string?)item["spec"]!["template"]!["spec"]!["containers"]![0]!["image"] != "broken";

        (
            await _cluster.HelmAsync(
                [
                    "upgrade", Chart.Release, ChartFixture.Committed, .. HelmSettings.Arguments(), "--set", "images.gateway=broken",
                    "--atomic", "--timeout", "10s",
                ])).Refused();

        Assert.Equal(
            "registry.example/gateway:1",
            (string?)_cluster.Get("Deployment", "gateway-deployment")["spec"]!["template"]!["spec"]!["containers"]![0]!["image"]);
    }

    [Fact]
    public async Task AFirstInstallationThatFails_IsRemovedAndTheNextOneSucceeds()
    {
        _cluster.Objects.IsReady = _ => false;
        (
            await _cluster.HelmAsync(
                [
                    "upgrade", Chart.Release, ChartFixture.Committed, .. HelmSettings.Arguments(), "--install", "--create-namespace",
                    "--atomic", "--timeout", "10s",
                ])).Refused();
        Assert.Empty(_cluster.Names());

        _cluster.Objects.IsReady = _ => true;
        (
            await _cluster.HelmAsync(
                [
                    "upgrade", Chart.Release, ChartFixture.Committed, .. HelmSettings.Arguments(), "--install", "--atomic", "--timeout",
                    "2m",
                ])).Checked();
        Assert.NotEmpty(_cluster.Names());
    }

    [Fact]
    public async Task Uninstall_LeavesNothingAndTheNextInstallationHasOtherPasswords()
    {
        await InstallAsync();
        var passwords = _cluster.Passwords();

        AssertNoneIn(passwords, (await _cluster.HelmAsync("uninstall", Chart.Release, "--wait", "--timeout", "2m")).Checked());
        Assert.Empty(_cluster.Names());

        await InstallAsync();
        Assert.Empty(passwords.Values.Intersect(_cluster.Passwords().Values));
    }

    [Fact]
    public async Task AnUpgradeOfWhatCannotChange_IsRefused()
    {
        await InstallAsync();

        var sentence = (
            await _cluster.HelmAsync(
                ["upgrade", Chart.Release, ChartFixture.Committed, .. HelmSettings.Arguments(), "--set", "broker.storage=16Gi"])).Refused();

        Assert.Contains(
            "StatefulSet messaging-statefulset.spec.volumeClaimTemplates: field is immutable", sentence, StringComparison.Ordinal);
    }

    private async Task<string> InstallAsync() =>
        (
            await _cluster.HelmAsync(
                [
                    "install", Chart.Release, ChartFixture.Committed, .. HelmSettings.Arguments(), "--create-namespace", "--wait",
                    "--timeout", "2m",
                ])).Checked();

    private void AssertNoSecretIn(string output) => AssertNoneIn(_cluster.Passwords(), output);

    private static void AssertNoneIn(Dictionary<string, string> passwords, string output) => Assert.All(passwords.Values, password =>
    {
        Assert.DoesNotContain(password, output, StringComparison.Ordinal);
        Assert.DoesNotContain(Encoding.UTF8.GetString(Convert.FromBase64String(password)), output, StringComparison.Ordinal);
    });

    private string? GatewayCpu() =>
        (string?)_cluster.Get(
            "Deployment", "gateway-deployment")["spec"]!["template"]!["spec"]!["containers"]![0]!["resources"]!["requests"]!["cpu"];

    private string ConnectionString() =>
        (string)Chart.List(_cluster.Get("Deployment", "gateway-deployment")["spec"]!["template"]!["spec"]!["containers"]![0]!["env"])
        .Single(variable => (string?)variable["name"] == "ConnectionStrings__messaging")["value"]!;

    private int Replicas(string deployment) => (int)_cluster.Get("Deployment", deployment)["spec"]!["replicas"]!;
}
