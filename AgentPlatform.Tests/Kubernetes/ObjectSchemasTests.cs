using System.Text.Json.Nodes;

namespace AgentPlatform.Tests.Kubernetes;

/// <summary>The checks of the chart's tests find what they are there to find.</summary>
[Trait("Category", "Helm")]
public sealed class ObjectSchemasTests
{
    private readonly ObjectSchemas _schemas = new();

    [Fact]
    public async Task AnObjectOfTheChart_HasNoMistake() => Assert.Empty(_schemas.Check(await DeploymentAsync()));

    [Theory]
    [InlineData("""{"spec":{"replica":1}}""", "Deployment gateway-deployment.spec.replica is no field.")]
    [InlineData(
        """{"spec":{"minReadySeconds":"10"}}""", "Deployment gateway-deployment.spec.minReadySeconds is \"10\", which is no \"integer\".")]
    [InlineData(
        """{"spec":{"template":{"spec":{"enableServiceLinks":"false"}}}}""",
        "Deployment gateway-deployment.spec.template.spec.enableServiceLinks is \"false\", which is no \"boolean\".")]
    [InlineData(
        """{"spec":{"strategy":{"type":"Rolling"}}}""",
        "Deployment gateway-deployment.spec.strategy.type is Rolling, none of [\"Recreate\",\"RollingUpdate\"].")]
    [InlineData("""{"spec":{"selector":null}}""", "Deployment gateway-deployment.spec has no selector.")]
    [InlineData("""{"metadata":{"labels":{"a":1}}}""", "Deployment gateway-deployment.metadata.labels.a is 1, which is no \"string\".")]
    [InlineData("""{"kind":"Deploymnt"}""", "There is no kind Deploymnt of apps/v1.")]
    public async Task AMistake_IsNamed(string change, string mistake)
    {
        var item = await DeploymentAsync();
        Merge(item, JsonNode.Parse(change)!.AsObject());

        Assert.Equal(mistake, Assert.Single(_schemas.Check(item)));
    }

    [Fact]
    public async Task AProbeOfAWrongScheme_IsNamed()
    {
        var item = await DeploymentAsync();
        item["spec"]!["template"]!["spec"]!["containers"]![0]!["readinessProbe"]!["httpGet"]!["scheme"] = "http";

        Assert.Contains("is http, none of", Assert.Single(_schemas.Check(item)), StringComparison.Ordinal);
    }

    private static async Task<JsonObject> DeploymentAsync() => (await Chart.RenderCommittedAsync()).Get("Deployment", "gateway-deployment");

    private static void Merge(JsonObject target, JsonObject change)
    {
        foreach (var (name, value) in change)
        {
            if (value is null)
            {
                target.Remove(name);
            }
            else if (value is JsonObject fields && target[name] is JsonObject own)
            {
                Merge(own, fields);
            }
            else
            {
                target[name] = value.DeepClone();
            }
        }
    }
}
