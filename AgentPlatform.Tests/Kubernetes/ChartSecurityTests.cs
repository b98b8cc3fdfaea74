using System.Text.Json.Nodes;

namespace AgentPlatform.Tests.Kubernetes;

/// <summary>Pods may do no more than their work takes, and secrets stand nowhere but in Secrets.</summary>
[Trait("Category", "Helm")]
public sealed class ChartSecurityTests(ChartFixture charts) : IClassFixture<ChartFixture>
{
    // https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted
    [Fact]
    public async Task EveryPod_SatisfiesTheRestrictedPodSecurityStandard()
    {
        foreach (var (name, _, pod) in (await charts.AllAsync()).SelectMany(chart => chart.Pods()))
        {
            var context = pod["spec"]!["securityContext"]!;
            Assert.True((bool)context["runAsNonRoot"]!, name);
            Assert.NotEqual(0, (int)context["runAsUser"]!);
            Assert.Equal("RuntimeDefault", (string?)context["seccompProfile"]!["type"]);
            Assert.False((bool?)pod["spec"]!["automountServiceAccountToken"] ?? pod["spec"]!["serviceAccountName"] is null, name);
            Assert.All((string[])["hostNetwork", "hostPID", "hostIPC"], field => Assert.Null(pod["spec"]![field]));
            Assert.All(Chart.List(pod["spec"]!["volumes"]), volume => Assert.Contains(
                volume.AsObject().Select(field => field.Key).Single(key => key != "name"),
                (string[])["emptyDir", "configMap", "secret", "persistentVolumeClaim", "image"]));
            Assert.All(Chart.Containers(pod), container =>
            {
                var rights = container["securityContext"]!;
                Assert.False((bool)rights["allowPrivilegeEscalation"]!);
                Assert.True((bool)rights["readOnlyRootFilesystem"]!);
                Assert.Equal("ALL", (string?)Assert.Single(Chart.List(rights["capabilities"]!["drop"])));
                Assert.Null(rights["capabilities"]!["add"]);
                Assert.NotNull(container["resources"]!["requests"]!["memory"]);
                Assert.Equal(
                    (string?)container["resources"]!["requests"]!["memory"], (string?)container["resources"]!["limits"]!["memory"]);
            });
        }
    }

    [Fact]
    public async Task EveryPod_IsBoundByAPolicyForBothDirections()
    {
        foreach (var chart in await charts.AllAsync())
        {
            Assert.All(chart.Pods(), item => Assert.Contains(
                Policies(chart, item.Pod),
                policy =>
                    Chart.List(policy["spec"]!["policyTypes"]).Select(type => (string)type!).ToHashSet().SetEquals(["Ingress", "Egress"])));
        }

        Assert.Empty((await Chart.RenderCommittedAsync(ChartScenarios.WithoutPolicies)).Of("NetworkPolicy"));
    }

    [Fact]
    public async Task Workers_AreReachedByNobodyAndReachTheBrokerAndNamesOnly()
    {
        var chart = await Chart.RenderCommittedAsync(ChartScenarios.WithoutDeletionCost);

        var policy = Assert.Single(Policies(chart, chart.Get("Deployment", "sentiment-deployment")["spec"]!["template"]!));
        Assert.Null(policy["spec"]!["ingress"]);
        Assert.Equal(
            ["53", "53", "5353", "5353", "5672", "5671"],
            Chart.List(policy["spec"]!["egress"]).SelectMany(rule => Chart.List(rule["ports"])).Select(port => port["port"]!.ToString()));
        Assert.All(Chart.List(policy["spec"]!["egress"]), rule => Assert.NotEmpty(Chart.List(rule["to"])));
    }

    [Fact]
    public async Task Workers_ThatFetchWeights_ReachTheirPortOutside()
    {
        var chart = await charts.RenderEveryKindAsync();

        Assert.Equal(["8443"], Outside("fetched"));
        Assert.Equal(["443"], Outside("llama"));
        Assert.Equal(["443"], Outside("gpt"));
        Assert.Empty(Outside("qwen"));

        IEnumerable<string> Outside(string pool) => Policies(chart, chart.Get("Deployment", $"{pool}-deployment")["spec"]!["template"]!)
            .SelectMany(policy => Chart.List(policy["spec"]!["egress"])).Where(rule => rule["to"] is null)
                .SelectMany(rule => Chart.List(rule["ports"])).Select(port => port["port"]!.ToString());
    }

    [Fact]
    public async Task TheBroker_IsReachedByThisReleaseAndItsManagementByKedaOnly()
    {
        var chart = await Chart.RenderCommittedAsync(ChartScenarios.KedaElsewhere);

        var rules = Chart.List(chart.Get("NetworkPolicy", "messaging-network")["spec"]!["ingress"]).ToList();
        Assert.Equal([5672, 5671], Chart.List(rules[0]["ports"]).Select(port => (int)port["port"]!));
        Assert.Equal(Chart.Release, (string?)rules[0]["from"]![0]!["podSelector"]!["matchLabels"]!["app.kubernetes.io/instance"]);
        Assert.Equal("15672", Assert.Single(Chart.List(rules[1]["ports"]))["port"]!.ToString());
        Assert.Equal("scaling", (string?)rules[1]["from"]![0]!["namespaceSelector"]!["matchLabels"]!["kubernetes.io/metadata.name"]);
    }

    [Fact]
    public async Task ACertificate_MakesAllSpeakTlsAndTrustItsAuthority()
    {
        foreach (var chart in await charts.AllAsync(ChartScenarios.Tls))
        {
            // Those that an upgrade has not replaced yet speak without it.
            var configuration = (string)chart.Get("ConfigMap", "messaging-files")["data"]!["agentplatform.conf"]!;
            Assert.Contains("\nlisteners.ssl.default = 5671\n", configuration, StringComparison.Ordinal);
            Assert.DoesNotContain("listeners.tcp", configuration, StringComparison.Ordinal);
            Assert.Contains(Chart.List(chart.Get("Service", "messaging-service")["spec"]!["ports"]), port => (int)port["port"]! == 5671);
            foreach (var (name, workload, pod) in chart.Pods())
            {
                var secret = Assert.Single(Chart.List(pod["spec"]!["volumes"]), volume => volume["secret"] is not null)["secret"]!;
                Assert.Equal("rabbit-tls", (string?)secret["secretName"]);
                Assert.False((bool)secret["optional"]!);
                if ((string?)workload["kind"] == "Deployment")
                {
                    var container = Assert.Single(Chart.List(pod["spec"]!["containers"]));
                    var settings = PodSettings.Of(chart, container);
                    Assert.StartsWith("amqps://", settings["ConnectionStrings__messaging"], StringComparison.Ordinal);
                    Assert.Contains("@messaging-service:5671/", settings["ConnectionStrings__messaging"], StringComparison.Ordinal);
                    var folder = (string)Assert.Single(
                        Chart.List(container["volumeMounts"]), mount => (string?)mount["name"] == "broker-ca")["mountPath"]!;
                    Assert.Equal($"/etc/ssl/certs:{folder}", settings["SSL_CERT_DIR"]);

                    // The authority, and not the key of the broker.
                    Assert.Equal("ca.crt", (string?)Assert.Single(Chart.List(secret["items"]))["key"]);
                    Assert.Contains(
                        Policies(chart, pod).SelectMany(policy => Chart.List(policy["spec"]!["egress"]))
                            .SelectMany(rule => Chart.List(rule["ports"])),
                        port => port["port"]!.ToString() == "5671");
                }
            }
        }
    }

    [Fact]
    public async Task TlsOnly_LeavesNoOtherWayToTheBroker() => Assert.Contains(
        "\nlisteners.tcp = none\nlisteners.ssl.default = 5671\n",
        (string)(await Chart.RenderCommittedAsync(ChartScenarios.TlsOnly))
            .Get("ConfigMap", "messaging-files")["data"]!["agentplatform.conf"]!,
        StringComparison.Ordinal);

    [Fact]
    public async Task CertManager_MakesTheCertificateThatPodsWaitFor()
    {
        var chart = await Chart.RenderCommittedAsync(ChartScenarios.CertManager);

        var certificate = chart.Get("Certificate", "messaging-tls-certificate")["spec"]!;
        Assert.Equal(
            ["messaging-service", "messaging-service.models.svc"], Chart.List(certificate["dnsNames"]).Select(name => (string)name!));
        var issuer = chart.Get("Issuer", (string)certificate["issuerRef"]!["name"]!)["spec"]!;
        var authority = Assert.Single(
            chart.Of("Certificate"), item => (string?)item["spec"]!["secretName"] == (string?)issuer["ca"]!["secretName"])["spec"]!;
        Assert.True((bool)authority["isCA"]!);
        Assert.NotNull(chart.Get("Issuer", (string)authority["issuerRef"]!["name"]!)["spec"]!["selfSigned"]);
        Assert.All(chart.Pods(), item => Assert.Equal(
            ((string?)certificate["secretName"], false),
            ((string?)Secret(item.Pod)["secretName"], (bool)Secret(item.Pod)["optional"]!)));
        Assert.StartsWith(
            "amqps://", PodSettings.Of(chart, chart.Container("gateway"))["ConnectionStrings__messaging"], StringComparison.Ordinal);

        static JsonNode Secret(JsonNode pod) =>
            Assert.Single(Chart.List(pod["spec"]!["volumes"]), volume => volume["secret"] is not null)["secret"]!;
    }

    [Fact]
    public async Task WithoutACertificate_NothingIsEncryptedOrTrustedBesides()
    {
        var chart = await Chart.RenderCommittedAsync();

        Assert.DoesNotContain(
            "ssl", (string)chart.Get("ConfigMap", "messaging-files")["data"]!["agentplatform.conf"]!, StringComparison.Ordinal);
        Assert.Equal("/etc/ssl/certs", PodSettings.Of(chart, chart.Container("gateway"))["SSL_CERT_DIR"]);
        Assert.Equal(
            "amqp://gateway:$(BROKER_PASSWORD)@messaging-service:5672/%2F",
            PodSettings.Of(chart, chart.Container("gateway"))["ConnectionStrings__messaging"]);
    }

    [Fact]
    public async Task Secrets_AreOnlyReferredTo()
    {
        foreach (var folder in new[] { ChartFixture.Committed, await charts.EveryKindAsync() })
        {
            var text = string.Join('\n', Directory.EnumerateFiles(folder, "*.yaml", SearchOption.AllDirectories).Select(File.ReadAllText));
            Assert.DoesNotContain("sk-secret", text, StringComparison.Ordinal);
            Assert.DoesNotContain(".Values.secrets", text, StringComparison.Ordinal);
            var chart = await Chart.RenderAsync(folder);
            Assert.Equal(["messaging-users"], chart.Of("Secret").Select(Chart.Name));
            Assert.All(
                chart.Pods().SelectMany(item => Chart.Containers(item.Pod)).SelectMany(container => PodSettings.Of(chart, container)),
                setting =>
                Assert.True(
                    !setting.Key.EndsWith("_PASSWORD", StringComparison.OrdinalIgnoreCase)
                        || setting.Value.StartsWith("secret:", StringComparison.Ordinal),
                    setting.Key));
        }
    }

    [Fact]
    public async Task Broker_IsOneSecretForAllConsumersWithAUserForEachRole()
    {
        var chart = await Chart.RenderCommittedAsync(ChartScenarios.ExistingBroker);

        Assert.Empty(chart.Of("StatefulSet"));
        Assert.Empty(chart.Of("Secret"));
        var gateway = PodSettings.Of(chart, chart.Container("gateway"));
        Assert.Equal("secret:rabbit/gateway-password", gateway["BROKER_PASSWORD"]);
        Assert.Equal("amqps://gateway:$(BROKER_PASSWORD)@rabbit.example:5671/%2F", gateway["ConnectionStrings__messaging"]);
        var worker = PodSettings.Of(chart, chart.Container("sentiment"));
        Assert.Equal("secret:rabbit/worker-sentiment-password", worker["BROKER_PASSWORD"]);
        Assert.Equal("amqps://worker-sentiment:$(BROKER_PASSWORD)@rabbit.example:5671/%2F", worker["ConnectionStrings__messaging"]);
    }

    private static IEnumerable<JsonObject> Policies(Chart chart, JsonNode pod) =>
        chart.Of("NetworkPolicy").Where(policy => Chart.Matches(policy["spec"]!["podSelector"]!["matchLabels"], pod));
}
