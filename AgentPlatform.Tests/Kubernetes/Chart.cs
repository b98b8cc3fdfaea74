using System.Globalization;
using System.Text.Json.Nodes;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace AgentPlatform.Tests.Kubernetes;

/// <summary>A chart as it would be installed: its objects, rendered with its own values and some others.</summary>
internal sealed class Chart
{
    /// <summary>Name of the release.</summary>
    public const string Release = "test";

    /// <summary>Where it is installed.</summary>
    public const string Namespace = "models";

    private Chart(IReadOnlyList<JsonObject> objects) => Objects = objects;

    public IReadOnlyList<JsonObject> Objects { get; }

    /// <summary>Renders the chart in a folder.</summary>
    /// <param name="folder">Folder of Chart.yaml.</param>
    /// <param name="settings">One of <see cref="ChartScenarios"/>.</param>
    /// <exception cref="ChartRefusedException">The chart refuses them.</exception>
    public static Chart Render(string folder, params string[] settings)
    {
        Assert.Contains(ChartScenarios.OfTheCommittedChart.Concat(ChartScenarios.Refused.Select(refused => refused.Settings)), scenario => scenario.SequenceEqual(settings));
        var values = (Dictionary<string, object?>)Value(Load(File.ReadAllText(Path.Combine(folder, "values.yaml"))).Single())!;
        foreach (var setting in ChartScenarios.Images.Concat(settings))
        {
            Set(values, setting);
        }

        var template = new GoTemplate(new Dictionary<string, object?>
        {
            ["Values"] = values,
            ["Chart"] = new Dictionary<string, object?> { ["Name"] = "agentplatform" },
            ["Release"] = new Dictionary<string, object?> { ["Name"] = Release, ["Namespace"] = Namespace },
            ["Capabilities"] = new Dictionary<string, object?> { ["HelmVersion"] = new Dictionary<string, object?> { ["Version"] = "v4.2.3" } },
        });
        var files = Directory.EnumerateFiles(Path.Combine(folder, "templates"), "*.yaml", SearchOption.AllDirectories).Order(StringComparer.Ordinal);
        return new Chart([.. files.SelectMany(file => Parse(template.Render(File.ReadAllText(file))).Objects)]);
    }

    /// <summary>A chart that something else has rendered.</summary>
    public static Chart Parse(string yaml) => new([.. Load(yaml).Select(Json).OfType<JsonObject>()]);

    /// <summary>A map or a list of a setting.</summary>
    public static JsonNode ParseWhole(string yaml) => Json(Load(yaml).Single(), keepsNulls: true)!;

    public IEnumerable<JsonObject> Of(string kind) => Objects.Where(item => (string?)item["kind"] == kind);

    public JsonObject Get(string kind, string name) => Assert.Single(Of(kind), item => (string?)item["metadata"]!["name"] == name);

    /// <summary>The container of ours in the pods of a Deployment.</summary>
    public JsonNode Container(string component) => Assert.Single(List(Get("Deployment", $"{component}-deployment")["spec"]!["template"]!["spec"]!["containers"]));

    public static string Name(JsonObject item) => (string)item["metadata"]!["name"]!;

    /// <summary>Whether labels select a pod; none select nothing here.</summary>
    public static bool Matches(JsonNode? selector, JsonNode pod) =>
        selector is JsonObject { Count: > 0 } labels && labels.All(label => (string?)pod["metadata"]!["labels"]![label.Key] == (string?)label.Value);

    /// <summary>Deployments and StatefulSets with the pod that they make.</summary>
    public IEnumerable<(string Name, JsonNode Workload, JsonNode Pod)> Pods() =>
        Objects.Where(item => (string?)item["kind"] is "Deployment" or "StatefulSet").Select(item => ((string)item["metadata"]!["name"]!, (JsonNode)item, item["spec"]!["template"]!));

    /// <summary>Containers and sidecars of a pod.</summary>
    public static IEnumerable<JsonNode> Containers(JsonNode pod) => List(pod["spec"]!["initContainers"]).Concat(List(pod["spec"]!["containers"]));

    public static IEnumerable<JsonNode> List(JsonNode? list) => list?.AsArray().Select(item => item!) ?? [];

    private static IEnumerable<YamlNode> Load(string text)
    {
        var yaml = new YamlStream();
        yaml.Load(new StringReader(text));
        return yaml.Documents.Select(document => document.RootNode);
    }

    private static void Set(Dictionary<string, object?> values, string setting)
    {
        var equals = setting.IndexOf('=', StringComparison.Ordinal);
        var path = setting[..equals].Split('.');
        var section = path[..^1].Aggregate(values, (map, key) => (Dictionary<string, object?>)map[key]!);
        Assert.True(section.ContainsKey(path[^1]), $"The chart has no value {setting[..equals]}.");
        var text = setting[(equals + 1)..];
        var value = Value(text is ['{' or '[' or '"', ..] ? Load(text).Single() : new YamlScalarNode(text) { Style = ScalarStyle.Plain });
        section[path[^1]] = value is Dictionary<string, object?> map ? Merge((Dictionary<string, object?>)section[path[^1]]!, map) : value;
    }

    // As Helm does: what a map has stays, unless the other has null there.
    private static Dictionary<string, object?> Merge(Dictionary<string, object?> map, Dictionary<string, object?> other) =>
        map.Where(entry => !other.ContainsKey(entry.Key)).Concat(other.Where(entry => entry.Value is not null)).ToDictionary();

    private static object? Value(YamlNode node) => node switch
    {
        YamlMappingNode mapping => mapping.Children.ToDictionary(child => ((YamlScalarNode)child.Key).Value!, child => Value(child.Value)),
        YamlSequenceNode sequence => sequence.Select(Value).ToList(),
        YamlScalarNode { Style: ScalarStyle.Plain, Value: var text } => text switch
        {
            "true" => true,
            "false" => false,
            "" or "null" or "~" => null,
            _ when int.TryParse(text, CultureInfo.InvariantCulture, out var number) => number,
            _ => text,
        },
        _ => ((YamlScalarNode)node).Value,
    };

    private static JsonNode? Json(YamlNode node) => Json(node, keepsNulls: false);

    // A field of an object without a value is one that is not there.
    private static JsonNode? Json(YamlNode node, bool keepsNulls) => node switch
    {
        YamlMappingNode mapping => new JsonObject(mapping.Children
            .Select(child => KeyValuePair.Create(((YamlScalarNode)child.Key).Value!, Json(child.Value, keepsNulls))).Where(field => keepsNulls || field.Value is not null)),
        YamlSequenceNode sequence => new JsonArray([.. sequence.Select(item => Json(item, keepsNulls))]),
        _ => JsonValue(Value(node)),
    };

    private static JsonNode? JsonValue(object? value) => value switch
    {
        null => null,
        bool flag => flag,
        int number => number,
        _ => (string)value,
    };
}
