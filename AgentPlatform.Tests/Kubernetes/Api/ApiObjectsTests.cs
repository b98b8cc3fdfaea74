using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;

namespace AgentPlatform.Tests.Kubernetes.Api;

/// <summary>
/// The objects of the tests' API server are merged, kept and refused as those of a cluster: what tests with Helm rest on.
/// </summary>
public sealed class ApiObjectsTests
{
    private const string Space = "models";
    private const string Name = "gateway-deployment";

    private static readonly ApiKind _deployment = ApiKind.All.Single(kind => kind.Kind == "Deployment");

    private readonly ApiObjects _objects = new(new ObjectSchemas());

    public ApiObjectsTests() => _objects.CreateNamespace(Space);

    [Fact]
    public void Apply_TakesAwayWhatItsOwnerNoLongerHasAndNothingElse()
    {
        Apply(Deployment("""{"name":"A","value":"1"},{"name":"B","value":"2"}"""));
        var changed = Deployment();
        changed["spec"]!["template"]!["metadata"]!["labels"]!["added"] = "yes";
        _objects.Replace(_deployment, Space, Name, Merge(changed), "somebody", isDryRun: false);

        Apply(Deployment("""{"name":"B","value":"3"}"""));

        var template = Get()["spec"]!["template"]!;
        Assert.Equal("""[{"name":"B","value":"3"}]""", template["spec"]!["containers"]![0]!["env"]!.ToJsonString());
        Assert.Equal("yes", (string?)template["metadata"]!["labels"]!["added"]);
        Assert.Equal("gateway", (string?)template["metadata"]!["labels"]!["app"]);

        // Somebody else's field, set to another value, is a conflict; forced, it is taken over.
        changed["spec"]!["template"]!["metadata"]!["labels"]!["added"] = "no";
        Assert.Contains(
            "conflict with \"somebody\": .spec.template.metadata.labels.added", Assert.Throws<ApiException>(() => Apply(changed)).Message,
            StringComparison.Ordinal);
        Assert.Equal("no", (string?)Apply(changed, force: true)["spec"]!["template"]!["metadata"]!["labels"]!["added"]);
    }

    [Fact]
    public void Replicas_ThatNobodyApplies_AreThoseOfWhoeverScales()
    {
        Assert.Equal(1, (int)Apply(Deployment())["spec"]!["replicas"]!);
        Scale(4);
        Assert.Equal(4, (int)Apply(Deployment())["spec"]!["replicas"]!);

        // An owner that applies a number would be at odds with it.
        var fixedNumber = Deployment();
        fixedNumber["spec"]!["replicas"] = 2;
        Assert.Contains(".spec.replicas", Assert.Throws<ApiException>(() => Apply(fixedNumber)).Message, StringComparison.Ordinal);
        Assert.Equal(4, (int)Get()["spec"]!["replicas"]!);
    }

    [Fact]
    public void AnUnknownField_AnItemThatIsThereTwice_AndAChangedSelector_AreRefused()
    {
        Apply(Deployment());
        var (unknown, selector) = (Deployment(), Deployment());
        unknown["spec"]!["template"]!["spec"]!["containers"]![0]!["imaeg"] = "typo";
        selector["spec"]!["selector"]!["matchLabels"]!["app"] = "other";

        Assert.Contains("imaeg is no field", Assert.Throws<ApiException>(() => Apply(unknown)).Message, StringComparison.Ordinal);
        Assert.Contains(
            "has two items", Assert.Throws<ApiException>(() => Apply(Deployment("""{"name":"A"},{"name":"A"}"""))).Message,
            StringComparison.Ordinal);
        Assert.Contains(
            ".spec.selector: field is immutable", Assert.Throws<ApiException>(() => Apply(selector)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ADryRun_ChangesNothing()
    {
        Apply(Deployment(), isDryRun: true);
        Assert.Equal(StatusCodes.Status404NotFound, Assert.Throws<ApiException>(Get).Code);

        Apply(Deployment("""{"name":"A","value":"1"}"""));
        Apply(Deployment(), isDryRun: true);
        Assert.Equal("A", (string?)Get()["spec"]!["template"]!["spec"]!["containers"]![0]!["env"]![0]!["name"]);
        Assert.Null(Apply(Deployment())["spec"]!["template"]!["spec"]!["containers"]![0]!["env"]);
    }

    [Fact]
    public async Task Changes_AreSeenByWhoeverWaits()
    {
        var changes = _objects.ChangesAsync(_objects.Version, CancellationToken.None);
        Assert.False(changes.IsCompleted);

        Apply(Deployment());

        var change = Assert.Single(await changes.WaitAsync(TimeSpan.FromMinutes(1)));
        Assert.Equal(("ADDED", Name), (change.Type, Chart.Name(change.Item)));
    }

    private JsonObject Apply(JsonObject item, bool force = false, bool isDryRun = false) =>
        _objects.Apply(_deployment, Space, Name, item, "helm", force, isDryRun);

    private JsonObject Get() => _objects.Get(_deployment, Space, Name);

    private void Scale(int replicas)
    {
        var item = Get();
        item["spec"]!["replicas"] = replicas;
        _objects.Replace(_deployment, Space, Name, item, "autoscaler", isDryRun: false);
    }

    // What there is, with the labels of another one.
    private JsonObject Merge(JsonObject labels)
    {
        var item = Get();
        item["spec"]!["template"]!["metadata"] = labels["spec"]!["template"]!["metadata"]!.DeepClone();
        return item;
    }

    private static JsonObject Deployment(string? variables = null) => DeploymentOf(variables is null ? "" : $", \"env\": [{variables}]");

    private static JsonObject DeploymentOf(string environment) => Parse($$"""
        {
          "apiVersion": "apps/v1", "kind": "Deployment", "metadata": { "name": "{{Name}}" },
          "spec": {
            "selector": { "matchLabels": { "app": "gateway" } },
            "template": {
              "metadata": { "labels": { "app": "gateway" } },
              "spec": { "containers": [ { "name": "gateway", "image": "gateway:1"{{environment}} } ] }
            }
          }
        }
        """);

    private static JsonObject Parse(string json) => JsonNode.Parse(json)!.AsObject();
}
