using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;
using YamlDotNet.RepresentationModel;

namespace AgentPlatform.AppHost.Kubernetes.Chart;

/// <summary>
/// The content of values.yaml: the entries of <see cref="ChartValues"/>, each with a comment, followed by Aspire's own sections
/// (<c>parameters</c>, <c>secrets</c>, <c>config</c>) without the values that no object uses.
/// </summary>
internal sealed class ValuesDocument
{
    private static readonly JsonSerializerOptions _indented = new()
    {
        WriteIndented = true,
        NewLine = "\n",
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    private readonly Node _root = new();

    /// <summary>Creates the content.</summary>
    /// <param name="values">The entries.</param>
    /// <param name="aspire">The values.yaml that Aspire wrote.</param>
    /// <param name="used">Paths of the values that objects use.</param>
    public ValuesDocument(ChartValues values, YamlMappingNode aspire, IReadOnlySet<string> used)
    {
        foreach (var (path, value) in values.All)
        {
            Find(path, create: true)!.Value = value;
        }

        AddUsed(aspire, "", used);
    }

    /// <summary>Whether a value or a section exists at a path.</summary>
    public bool Has(string path) => Find(path, create: false) is not null;

    /// <summary>Returns the YAML.</summary>
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
    /// Returns the JSON schema of the values, with which Helm rejects unknown names, such as <c>pools.tiny-chat</c> instead of
    /// <c>pools.tiny_chat</c>.
    /// </summary>
    public string WriteSchema()
    {
        var schema = SchemaOf(_root);
        schema.Insert(0, "$schema", "http://json-schema.org/draft-07/schema#");

        // Helm passes this section to subcharts.
        schema["properties"]!["global"] = new JsonObject { ["type"] = "object" };
        return $"{schema.ToJsonString(_indented)}\n";
    }

    private static JsonObject SchemaOf(Node node)
    {
        if (node.Value is { } leaf)
        {
            if (leaf.Value is JsonNode whole)
            {
                return SchemaOf(whole, leaf.Comment);
            }

            // Helm's command line turns a string of digits into a number.
            JsonNode type = leaf.Value switch { bool => "boolean", int => "integer", _ => new JsonArray("string", "integer") };
            var schema = new JsonObject();
            if (leaf.Comment.Length > 0)
            {
                schema["description"] = leaf.Comment;
            }

            schema["type"] = type;
            foreach (var (name, limit) in leaf.Limits ?? [])
            {
                schema[name] = limit!.DeepClone();
            }

            return schema;
        }

        var properties = node.Children.Select(child => KeyValuePair.Create(child.Key, (JsonNode?)SchemaOf(child.Value)));
        return new JsonObject
        {
            ["type"] = "object",
            ["additionalProperties"] = false,
            ["properties"] = new JsonObject(properties),
        };
    }

    // Labels are strings: true and 1 need quotes, or --set-string. Items of lists are maps.
    private static JsonObject SchemaOf(JsonNode whole, string comment) => whole is JsonObject
        ? new()
        {
            ["description"] = comment,
            ["type"] = "object",
            ["additionalProperties"] = new JsonObject { ["type"] = new JsonArray("string", "null") },
        }
        : new() { ["description"] = comment, ["type"] = "array", ["items"] = new JsonObject { ["type"] = "object" } };

    private void AddUsed(YamlMappingNode mapping, string above, IReadOnlySet<string> used)
    {
        foreach (var (key, value) in mapping.Children)
        {
            var path = $"{above}{((YamlScalarNode)key).Value}";
            if (value is YamlMappingNode section)
            {
                AddUsed(section, $"{path}.", used);
            }
            else if (value is YamlScalarNode scalar && used.Contains(path))
            {
                object content = scalar.Style == ScalarStyle.Plain
                    ? int.Parse(scalar.Value!, CultureInfo.InvariantCulture) : scalar.Value ?? "";
                Find(path, create: true)!.Value = new ChartValue(content, Comment: "");
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
            emitter.Emit(leaf.Value switch
            {
                string => Text(text),
                bool flag => new Scalar(flag ? "true" : "false"),
                _ => new Scalar(text),
            });
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

    // Empty maps and lists are written on one line, as usual.
    private static void Write(Emitter emitter, JsonNode? whole)
    {
        if (whole is JsonObject map)
        {
            var style = map.Count > 0 ? MappingStyle.Block : MappingStyle.Flow;
            emitter.Emit(new MappingStart(AnchorName.Empty, TagName.Empty, isImplicit: true, style));
            foreach (var (key, value) in map)
            {
                emitter.Emit(new Scalar(key));
                Write(emitter, value);
            }

            emitter.Emit(new MappingEnd());
        }
        else if (whole is JsonArray list)
        {
            var style = list.Count > 0 ? SequenceStyle.Block : SequenceStyle.Flow;
            emitter.Emit(new SequenceStart(AnchorName.Empty, TagName.Empty, isImplicit: true, style));
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

    private static Scalar Text(string text) =>
        new(AnchorName.Empty, TagName.Empty, text, ScalarStyle.DoubleQuoted, isPlainImplicit: true, isQuotedImplicit: true);

    private sealed class Node
    {
        public Dictionary<string, Node> Children { get; } = new(StringComparer.Ordinal);

        public ChartValue? Value { get; set; }
    }
}
