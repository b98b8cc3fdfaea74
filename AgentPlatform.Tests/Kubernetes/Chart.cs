using System.Globalization;
using System.Text.Json.Nodes;
using AgentPlatform.Tests.Kubernetes.Helm;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace AgentPlatform.Tests.Kubernetes;

/// <summary>A chart as it would be installed: the objects that Helm makes of its own values and some others.</summary>
internal sealed class Chart
{
    /// <summary>Name of the release.</summary>
    public const string Release = "test";

    /// <summary>Where it is installed.</summary>
    public const string Namespace = "models";

    private Chart(IReadOnlyList<JsonObject> objects) => Objects = objects;

    public IReadOnlyList<JsonObject> Objects { get; }

    /// <summary>Has Helm render the chart in a folder.</summary>
    /// <param name="folder">Folder of Chart.yaml.</param>
    /// <param name="settings">As in <see cref="ChartScenarios"/>.</param>
    public static async Task<Chart> RenderAsync(string folder, params string[] settings) =>
        Parse((await HelmTemplate.RunAsync(folder, settings)).Checked());

    /// <summary>The committed chart.</summary>
    public static Task<Chart> RenderCommittedAsync(params string[] settings) => RenderAsync(ChartFixture.Committed, settings);

    /// <summary>What Helm has rendered.</summary>
    public static Chart Parse(string yaml) => new([.. Load(yaml).Select(Json).OfType<JsonObject>()]);

    /// <summary>A map or a list of a setting.</summary>
    public static JsonNode ParseWhole(string yaml) => Json(Load(yaml).Single(), keepsNulls: true)!;

    public IEnumerable<JsonObject> Of(string kind) => Objects.Where(item => (string?)item["kind"] == kind);

    public JsonObject Get(string kind, string name) => Assert.Single(Of(kind), item => (string?)item["metadata"]!["name"] == name);

    /// <summary>The container of ours in the pods of a Deployment.</summary>
    public JsonNode Container(string component) =>
        Assert.Single(List(Get("Deployment", $"{component}-deployment")["spec"]!["template"]!["spec"]!["containers"]));

    public static string Name(JsonObject item) => (string)item["metadata"]!["name"]!;

    /// <summary>Whether labels select a pod; none select nothing here.</summary>
    public static bool Matches(JsonNode? selector, JsonNode pod) =>
        selector is JsonObject { Count: > 0 } labels
            && labels.All(label => (string?)pod["metadata"]!["labels"]![label.Key] == (string?)label.Value);

    /// <summary>Deployments and StatefulSets with the pod that they make.</summary>
    public IEnumerable<(string Name, JsonNode Workload, JsonNode Pod)> Pods() =>
        Objects.Where(item => (string?)item["kind"] is "Deployment" or "StatefulSet")
            .Select(item => (Name(item), (JsonNode)item, item["spec"]!["template"]!));

    /// <summary>Containers and sidecars of a pod.</summary>
    public static IEnumerable<JsonNode> Containers(JsonNode pod) =>
        List(pod["spec"]!["initContainers"]).Concat(List(pod["spec"]!["containers"]));

    public static IEnumerable<JsonNode> List(JsonNode? list) => list?.AsArray().Select(item => item!) ?? [];

    private static IEnumerable<YamlNode> Load(string text)
    {
        var yaml = new YamlStream();
        yaml.Load(new StringReader(text));
        return yaml.Documents.Select(document => document.RootNode);
    }

    private static JsonNode? Json(YamlNode node) => Json(node, keepsNulls: false);

    // A field of an object without a value is one that is not there.
    private static JsonNode? Json(YamlNode node, bool keepsNulls) => node switch
    {
        YamlMappingNode mapping => new JsonObject(mapping.Children
            .Select(child => KeyValuePair.Create(((YamlScalarNode)child.Key).Value!, Json(child.Value, keepsNulls)))
            .Where(field => keepsNulls || field.Value is not null)),
        YamlSequenceNode sequence => new JsonArray([.. sequence.Select(item => Json(item, keepsNulls))]),
        YamlScalarNode { Style: ScalarStyle.Plain, Value: var text } => text switch
        {
            "true" => true,
            "false" => false,
            null or "" or "null" or "~" => null,
            _ when int.TryParse(text, CultureInfo.InvariantCulture, out var number) => number,
            _ => text,
        },
        _ => ((YamlScalarNode)node).Value,
    };
}
