using System.Text.Json.Nodes;
using Cel;

namespace AgentPlatform.Tests.Kubernetes;

/// <summary>What the cluster lets a worker change, by the expressions that the chart gives it: the deletion cost of its own pod.</summary>
[Trait("Category", "Helm")]
public sealed class PodAdmissionTests(ChartFixture charts) : IClassFixture<ChartFixture>
{
    private const string Cost = "controller.kubernetes.io/pod-deletion-cost";
    private const string Pod = "tiny-chat-deployment-5d9c-x7k2p";

    private static readonly CelEnvironment _cel = new(null, null);

    [Fact]
    public async Task EveryPool_IsHeldInTheNamespaceOfItsReleaseByItsAccount()
    {
        foreach (var chart in await charts.AllAsync())
        {
            foreach (var account in chart.Of("ServiceAccount").Select(Chart.Name))
            {
                var policy = Assert.Single(
                    chart.Of("ValidatingAdmissionPolicy"),
                    policy => IsTrue((string)policy["spec"]!["matchConditions"]![0]!["expression"]!, Request(account), [], []));
                Assert.StartsWith($"{Chart.Namespace}-", Chart.Name(policy), StringComparison.Ordinal);
                Assert.Equal("Fail", (string?)policy["spec"]!["failurePolicy"]);
                var binding = Assert.Single(
                    chart.Of("ValidatingAdmissionPolicyBinding"),
                    item => (string?)item["spec"]!["policyName"] == Chart.Name(policy))["spec"]!;
                Assert.Equal(["Deny"], Chart.List(binding["validationActions"]).Select(action => (string)action!));
                Assert.Equal(
                    Chart.Namespace,
                    (string?)binding["matchResources"]!["namespaceSelector"]!["matchLabels"]!["kubernetes.io/metadata.name"]);

                // What its role allows is among what is looked at.
                var rule = Assert.Single(Chart.List(policy["spec"]!["matchConstraints"]!["resourceRules"]));
                Assert.Contains("pods/status", Chart.List(rule["resources"]).Select(resource => (string)resource!));
                Assert.Equal(["UPDATE"], Chart.List(rule["operations"]).Select(operation => (string)operation!));
            }

            Assert.Equal(chart.Of("ServiceAccount").Count(), chart.Of("ValidatingAdmissionPolicy").Count());
            Assert.DoesNotContain(
                chart.Of("ValidatingAdmissionPolicy"),
                policy => IsTrue((string)policy["spec"]!["matchConditions"]![0]!["expression"]!, Request("somebody"), [], []));
        }
    }

    [Theory]
    [InlineData("{}", """{"metadata":{"annotations":{"controller.kubernetes.io/pod-deletion-cost":"3"}}}""", null)]
    [InlineData(
        """{"metadata":{"annotations":{"a":"1","controller.kubernetes.io/pod-deletion-cost":"3"}}}""",
        """{"metadata":{"annotations":{"controller.kubernetes.io/pod-deletion-cost":"0"}}}""", null)]
    [InlineData(
        """{"metadata":{"annotations":{"a":"1","controller.kubernetes.io/pod-deletion-cost":"3"}}}""",
        """{"metadata":{"annotations":{"controller.kubernetes.io/pod-deletion-cost":null}}}""", null)]
    [InlineData("{}", """{"metadata":{"labels":{"app.kubernetes.io/component":"gateway"}}}""", "labels")]
    [InlineData("{}", """{"metadata":{"labels":{"app.kubernetes.io/component":null}}}""", "labels")]
    [InlineData("{}", """{"metadata":{"labels":{"other":"1"}}}""", "labels")]
    [InlineData("{}", """{"metadata":{"annotations":{"other":"1"}}}""", "annotation")]
    [InlineData("""{"metadata":{"annotations":{"a":"1"}}}""", """{"metadata":{"annotations":{"a":"2"}}}""", "annotation")]
    [InlineData("""{"metadata":{"annotations":{"a":"1"}}}""", """{"metadata":{"annotations":{"a":null}}}""", "annotation")]
    [InlineData("{}", """{"metadata":{"finalizers":["stay"]}}""", "finalizers")]
    [InlineData("{}", """{"status":{"phase":"Failed"}}""", "status")]
    public async Task AWorker_ChangesTheDeletionCostOfItsPodAndNothingElse(string before, string patch, string? refusal)
    {
        var pod = Patched(
            JsonNode.Parse(
                """{"metadata":{"labels":{"app.kubernetes.io/component":"tiny-chat"}},"status":{"phase":"Running"}}""")!.AsObject(),
            before);

        var refusals = await RefusalsAsync(Request("tiny-chat-account"), pod, Patched((JsonObject)pod.DeepClone(), patch));

        Assert.Equal(refusal is null ? 0 : 1, refusals.Count);
        Assert.All(refusals, sentence => Assert.Contains(refusal!, sentence, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("""{"authentication.kubernetes.io/pod-name":["another"]}""")]
    [InlineData("{}")]
    [InlineData(null)]
    public async Task AWorker_ThatDoesNotShowItIsThePod_ChangesNothing(string? extra)
    {
        var request = Request("tiny-chat-account");
        request["userInfo"]!.AsObject().Remove("extra");
        if (extra is not null)
        {
            request["userInfo"]!["extra"] = JsonNode.Parse(extra);
        }

        Assert.Equal(["A worker may change its own pod only."], await RefusalsAsync(
            request, Patched([], """{"status":{}}"""), Patched([], $$$"""{"metadata":{"annotations":{"{{{Cost}}}":"1"}},"status":{}}""")));
    }

    private static JsonObject Request(string account) => JsonNode.Parse($$$"""
        {
          "name": "{{{Pod}}}", "namespace": "{{{Chart.Namespace}}}",
          "userInfo": {
            "username": "system:serviceaccount:{{{Chart.Namespace}}}:{{{account}}}",
            "extra": { "authentication.kubernetes.io/pod-name": ["{{{Pod}}}"] }
          }
        }
        """)!.AsObject();

    private static async Task<List<string>> RefusalsAsync(JsonObject request, JsonObject before, JsonObject after)
    {
        var policy = (await Chart.RenderCommittedAsync()).Get("ValidatingAdmissionPolicy", $"{Chart.Namespace}-tiny-chat-deletion-cost");
        return
        [
            .. Chart.List(policy["spec"]!["validations"]).Where(rule => !IsTrue((string)rule["expression"]!, request, before, after))
                .Select(rule => (string)rule["message"]!),
        ];
    }

    private static bool IsTrue(string expression, JsonObject request, JsonObject before, JsonObject after) =>
        (bool)_cel.Compile(expression)(
        new Dictionary<string, object?> { ["request"] = Value(request), ["oldObject"] = Value(before), ["object"] = Value(after) })!;

    private static JsonObject Patched(JsonObject item, string patch)
    {
        item["metadata"] ??= new JsonObject();
        Merge(item, JsonNode.Parse(patch)!.AsObject());
        return item;
    }

    private static void Merge(JsonObject item, JsonObject patch)
    {
        foreach (var (name, value) in patch)
        {
            if (value is JsonObject fields)
            {
                item[name] ??= new JsonObject();
                Merge(item[name]!.AsObject(), fields);
            }
            else if (value is null)
            {
                item.Remove(name);
            }
            else
            {
                item[name] = value.DeepClone();
            }
        }
    }

    private static object? Value(JsonNode? node) => node switch
    {
        JsonObject fields => fields.ToDictionary(field => field.Key, field => Value(field.Value)),
        JsonArray items => items.Select(Value).ToArray(),
        _ => (string?)node,
    };
}
