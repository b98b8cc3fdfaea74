using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;
using YamlDotNet.RepresentationModel;

namespace AgentPlatform.AppHost.Kubernetes.Chart;

/// <summary>
/// values.yaml: what a person can set, each with a comment, and then what is left of Aspire's own sections (<c>parameters</c>,
/// <c>secrets</c>, <c>config</c>) once values that no object uses are gone.
/// </summary>
internal sealed class ValuesDocument
{
    private static readonly JsonSerializerOptions _indented = new() { WriteIndented = true, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly Node _root = new();

    public ValuesDocument(ChartValues values, YamlMappingNode aspire, IReadOnlySet<string> used)
    {
        foreach (var (path, value) in values.All)
        {
            Find(path, create: true)!.Value = value;
        }

        Take(aspire, "", used);
    }

    /// <summary>Whether there is a value, or a section, at a path.</summary>
    public bool Has(string path) => Find(path, create: false) is not null;

    /// <summary>As YAML.</summary>
    public string Write()
    {
        using var text = new StringWriter(CultureInfo.InvariantCulture) { NewLine = "\n" };
        var emitter = new Emitter(text, EmitterSettings.Default.WithNewLine("\n"));
        emitter.Emit(new StreamStart());
        emitter.Emit(new DocumentStart());
        Write(emitter, _root);
        emitter.Emit(new DocumentEnd(isImplicit: true));
        emitter.Emit(new StreamEnd());
        return text.ToString();
    }

    /// <summary>
    /// The JSON schema of the values, by which Helm refuses a name that means nothing, such as <c>pools.tiny-chat</c> for <c>pools.tiny_chat</c>.
    /// </summary>
    public string WriteSchema()
    {
        var schema = Describe(_root);
        schema.Insert(0, "$schema", "http://json-schema.org/draft-07/schema#");

        // What Helm itself gives to charts that are part of another one.
        schema["properties"]!["global"] = new JsonObject { ["type"] = "object" };
        return $"{schema.ToJsonString(_indented)}\n";
    }

    private static JsonObject Describe(Node node)
    {
        if (node.Value is { } leaf)
        {
            if (leaf.Value is JsonNode whole)
            {
                return Describe(whole, leaf.Comment);
            }

            // On Helm's command line a text of digits is a number.
            JsonNode type = leaf.Value switch { bool => "boolean", int => "integer", _ => new JsonArray("string", "integer") };
            var schema = leaf.Comment.Length > 0 ? new JsonObject { ["description"] = leaf.Comment, ["type"] = type } : new JsonObject { ["type"] = type };
            foreach (var (name, limit) in leaf.Limits ?? [])
            {
                schema[name] = limit!.DeepClone();
            }

            return schema;
        }

        return new JsonObject
        {
            ["type"] = "object",
            ["additionalProperties"] = false,
            ["properties"] = new JsonObject(node.Children.Select(child => KeyValuePair.Create(child.Key, (JsonNode?)Describe(child.Value)))),
        };
    }

    // Labels are texts: true and 1 need quotes, or --set-string. An item of a list is a map.
    private static JsonObject Describe(JsonNode whole, string comment) => whole is JsonObject
        ? new() { ["description"] = comment, ["type"] = "object", ["additionalProperties"] = new JsonObject { ["type"] = new JsonArray("string", "null") } }
        : new() { ["description"] = comment, ["type"] = "array", ["items"] = new JsonObject { ["type"] = "object" } };

    private void Take(YamlMappingNode mapping, string above, IReadOnlySet<string> used)
    {
        foreach (var (key, value) in mapping.Children)
        {
            var path = $"{above}{((YamlScalarNode)key).Value}";
            if (value is YamlMappingNode section)
            {
                Take(section, $"{path}.", used);
            }
            else if (value is YamlScalarNode scalar && used.Contains(path))
            {
                Find(path, create: true)!.Value = new ChartValue(scalar.Style == ScalarStyle.Plain ? int.Parse(scalar.Value!, CultureInfo.InvariantCulture) : scalar.Value ?? "", "");
            }
        }
    }

    private Node? Find(string path, bool create)
    {
        var node = _root;
        foreach (var key in path.Split('.'))
        {
            if (!node.Children.TryGetValue(key, out var child))
            {
                if (!create)
                {
                    return null;
                }

                node.Children.Add(key, child = new Node());
            }

            node = child;
        }

        return node;
    }

    private static void Write(Emitter emitter, Node node)
    {
        if (node.Value is { Value: JsonNode whole })
        {
            Write(emitter, whole);
            return;
        }

        if (node.Value is { } leaf)
        {
            var text = Convert.ToString(leaf.Value, CultureInfo.InvariantCulture)!;
            emitter.Emit(leaf.Value is string ? Text(text) : new Scalar(leaf.Value is bool ? (bool)leaf.Value ? "true" : "false" : text));
            return;
        }

        emitter.Emit(new MappingStart());
        foreach (var (key, child) in node.Children)
        {
            if (child.Value is { Comment.Length: > 0 } value)
            {
                emitter.Emit(new Comment(value.Comment, isInline: false));
            }

            emitter.Emit(new Scalar(key));
            Write(emitter, child);
        }

        emitter.Emit(new MappingEnd());
    }

    // Empty ones on one line, as is usual.
    private static void Write(Emitter emitter, JsonNode? whole)
    {
        if (whole is JsonObject map)
        {
            emitter.Emit(new MappingStart(AnchorName.Empty, TagName.Empty, isImplicit: true, map.Count > 0 ? MappingStyle.Block : MappingStyle.Flow));
            foreach (var (key, value) in map)
            {
                emitter.Emit(new Scalar(key));
                Write(emitter, value);
            }

            emitter.Emit(new MappingEnd());
        }
        else if (whole is JsonArray list)
        {
            emitter.Emit(new SequenceStart(AnchorName.Empty, TagName.Empty, isImplicit: true, list.Count > 0 ? SequenceStyle.Block : SequenceStyle.Flow));
            foreach (var item in list)
            {
                Write(emitter, item);
            }

            emitter.Emit(new SequenceEnd());
        }
        else
        {
            emitter.Emit(Text((string)whole!));
        }
    }

    private static Scalar Text(string text) => new(AnchorName.Empty, TagName.Empty, text, ScalarStyle.DoubleQuoted, isPlainImplicit: true, isQuotedImplicit: true);

    private sealed class Node
    {
        public Dictionary<string, Node> Children { get; } = new(StringComparer.Ordinal);

        public ChartValue? Value { get; set; }
    }
}
