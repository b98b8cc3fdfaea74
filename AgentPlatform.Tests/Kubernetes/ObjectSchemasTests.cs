using System.Text.Json.Nodes;

namespace AgentPlatform.Tests.Kubernetes;

/// <summary>The checks of the chart's tests find what they are there to find.</summary>
public sealed class ObjectSchemasTests
{
    private readonly ObjectSchemas _schemas = new();

    [Fact]
    public void AnObjectOfTheChart_HasNoMistake() => Assert.Empty(_schemas.Check(Deployment()));

    [Theory]
    [InlineData("""{"spec":{"replica":1}}""", "Deployment gateway-deployment.spec.replica is no field.")]
    [InlineData("""{"spec":{"minReadySeconds":"10"}}""", "Deployment gateway-deployment.spec.minReadySeconds is \"10\", which is no \"integer\".")]
    [InlineData("""{"spec":{"template":{"spec":{"enableServiceLinks":"false"}}}}""", "Deployment gateway-deployment.spec.template.spec.enableServiceLinks is \"false\", which is no \"boolean\".")]
    [InlineData("""{"spec":{"strategy":{"type":"Rolling"}}}""", "Deployment gateway-deployment.spec.strategy.type is Rolling, none of [\"Recreate\",\"RollingUpdate\"].")]
    [InlineData("""{"spec":{"selector":null}}""", "Deployment gateway-deployment.spec has no selector.")]
    [InlineData("""{"metadata":{"labels":{"a":1}}}""", "Deployment gateway-deployment.metadata.labels.a is 1, which is no \"string\".")]
    [InlineData("""{"kind":"Deploymnt"}""", "There is no kind Deploymnt of apps/v1.")]
    public void AMistake_IsNamed(string change, string mistake)
    {
        var item = Deployment();
        Merge(item, JsonNode.Parse(change)!.AsObject());

        Assert.Equal(mistake, Assert.Single(_schemas.Check(item)));
    }

    [Fact]
    public void AProbeOfAWrongScheme_IsNamed()
    {
        var item = Deployment();
        item["spec"]!["template"]!["spec"]!["containers"]![0]!["readinessProbe"]!["httpGet"]!["scheme"] = "http";

        Assert.Contains("is http, none of", Assert.Single(_schemas.Check(item)), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{{ .Values.none }}")]
    [InlineData("{{ .Values.a | upper }}")]
    [InlineData("{{ if .Values.a }}")]
    public void ATemplate_ThatHelmOrThisDoesNotKnow_IsRefused(string template) => Assert.ThrowsAny<Exception>(
        () => new GoTemplate(new Dictionary<string, object?> { ["Values"] = new Dictionary<string, object?> { ["a"] = "b" } }).Render(template));

    [Theory]
    [InlineData("""a: "{{ .Values.a | default `x` }}" """, """a: "b" """)]
    [InlineData("""a: "{{ .Values.empty | default (printf `%s-%s` .Values.a `y`) }}" """, """a: "b-y" """)]
    [InlineData("{{- if and .Values.a (not .Values.empty) }}\nyes\n{{- else }}\nno\n{{- end }}\n", "\nyes\n")]
    [InlineData("{{- if .Values.empty }}\nyes\n{{- end }}\n", "\n")]
    [InlineData("{{ .Values.number | int }}", "5")]
    public void ATemplate_IsRenderedAsHelmDoes(string template, string text) => Assert.Equal(text, new GoTemplate(new Dictionary<string, object?>
    {
        ["Values"] = new Dictionary<string, object?> { ["a"] = "b", ["empty"] = "", ["number"] = 5 },
    }).Render(template));

    private static JsonObject Deployment() => Chart.Render(ChartFixture.Committed).Get("Deployment", "gateway-deployment");

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
