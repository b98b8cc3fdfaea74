using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using AgentPlatform.Tests.Kubernetes.Api;

namespace AgentPlatform.Tests.Kubernetes;

/// <summary>
/// Checks objects against the schemas of Kubernetes and KEDA, more strictly than a cluster does: a field that a schema does not have is a
/// mistake.
/// </summary>
internal sealed class ObjectSchemas
{
    private readonly JsonObject _schemas = JsonNode.Parse(
        File.ReadAllText(Path.Combine(Repository.Root, "AgentPlatform.Tests", "Kubernetes", "schemas", "objects.json")))!.AsObject();

    /// <summary>The schema of an object's kind, if there is one.</summary>
    public JsonNode? Find(JsonNode item)
    {
        var (group, version) = ((string)item["apiVersion"]!).Split('/') is [var first, var second]
            ? (first, second)
            : ("", (string)item["apiVersion"]!);
        return _schemas.Select(definition => definition.Value!)
            .SingleOrDefault(definition => Chart.List(definition["x-kubernetes-group-version-kind"])
            .Any(
                kind =>
                    (string?)kind["group"] == group && (string?)kind["version"] == version
                        && (string?)kind["kind"] == (string?)item["kind"]));
    }

    /// <summary>What a schema, or one that it refers to, says under a name.</summary>
    public JsonNode? Part(JsonNode schema, string name) => schema[name]
        ?? Chart.List(schema["allOf"]).Select(part => Part(part, name)).FirstOrDefault(part => part is not null)
        ?? (Reference(schema) is { } other ? Part(other, name) : null);

    /// <summary>The same, where it is a text.</summary>
    public string? Text(JsonNode schema, string name) => (string?)Part(schema, name);

    /// <summary>The schema of a field.</summary>
    public JsonNode? Field(JsonNode? schema, string name) =>
        schema is null ? null : Part(schema, "properties")?[name] ?? Part(schema, "additionalProperties") as JsonObject;

    /// <summary>The schema of a list's items.</summary>
    public JsonNode? Item(JsonNode? schema) => schema is null ? null : Part(schema, "items");

    /// <summary>What is wrong with an object.</summary>
    public IReadOnlyList<string> Check(JsonObject item)
    {
        if (Find(item) is not { } schema)
        {
            return [$"There is no kind {item["kind"]} of {item["apiVersion"]}."];
        }

        var mistakes = new List<string>();
        Check($"{item["kind"]} {item["metadata"]!["name"]}", item, schema, mistakes);
        return mistakes;
    }

    private void Check(string path, JsonNode? value, JsonNode schema, List<string> mistakes)
    {
        foreach (var part in Chart.List(schema["allOf"]))
        {
            Check(path, value, part, mistakes);
        }

        if (Reference(schema) is { } other)
        {
            Check(path, value, other, mistakes);
        }

        if (!HasType(value, schema))
        {
            mistakes.Add(
                $"{path} is {value?.ToJsonString() ?? "null"}, which is no "
                    + $"{(schema["type"] ?? schema["oneOf"] ?? schema["anyOf"])!.ToJsonString()}.");
        }
        else if (value is JsonObject fields)
        {
            CheckFields(path, fields, schema, mistakes);
        }
        else if (value is JsonArray items && schema["items"] is { } itemSchema)
        {
            for (var i = 0; i < items.Count; i++)
            {
                Check(string.Create(CultureInfo.InvariantCulture, $"{path}[{i}]"), items[i], itemSchema, mistakes);
            }

            mistakes.AddRange(items.Count < ((int?)schema["minItems"] ?? 0) ? [$"{path} has too few items."] : Array.Empty<string>());
            mistakes.AddRange(Duplicates(items, schema).Select(key => $"{path} has two items {key}."));
        }
        else if (value is JsonValue scalar)
        {
            CheckScalar(path, scalar, schema, mistakes);
        }
    }

    private JsonNode? Reference(JsonNode schema) =>
        (string?)schema["$ref"] is { } reference ? _schemas[reference[(reference.LastIndexOf('/') + 1)..]]! : null;

    // Server-side apply takes no list whose items cannot be told apart.
    private static IEnumerable<string> Duplicates(JsonArray items, JsonNode schema) =>
        schema["x-kubernetes-list-map-keys"] is JsonArray keys
        ? items.GroupBy(item => FieldStep.KeyOf(item!, [.. keys.Select(key => (string)key!)])).Where(same => same.Count() > 1)
            .Select(same => same.Key)
        : [];

    private void CheckFields(string path, JsonObject fields, JsonNode schema, List<string> mistakes)
    {
        mistakes.AddRange(
            Chart.List(schema["required"]).Where(name => !fields.ContainsKey((string)name!)).Select(name => $"{path} has no {name}."));
        foreach (var (name, value) in fields)
        {
            if (schema["properties"]?[name] is { } property)
            {
                Check($"{path}.{name}", value, property, mistakes);
            }
            else if (schema["additionalProperties"] is JsonObject others)
            {
                Check($"{path}.{name}", value, others, mistakes);
            }
            else if (schema["properties"] is not null || (schema["type"] is not null && schema["x-kubernetes-int-or-string"] is null))
            {
                mistakes.Add($"{path}.{name} is no field.");
            }
        }
    }

    private static void CheckScalar(string path, JsonValue value, JsonNode schema, List<string> mistakes)
    {
        if (schema["enum"] is JsonArray allowed && !allowed.Any(item => item!.ToJsonString() == value.ToJsonString()))
        {
            mistakes.Add($"{path} is {value}, none of {allowed.ToJsonString()}.");
        }

        if (value.TryGetValue<int>(out var number)
            && (number < ((int?)schema["minimum"] ?? int.MinValue) || number > ((int?)schema["maximum"] ?? int.MaxValue)))
        {
            mistakes.Add($"{path} is {number}, out of its range.");
        }

        if (value.TryGetValue<string>(out var text)
            && (
                text.Length < ((int?)schema["minLength"] ?? 0)
                    || ((string?)schema["pattern"] is { } pattern && !Regex.IsMatch(text, pattern))))
        {
            mistakes.Add($"{path} is '{text}', which does not have its form.");
        }
    }

    private static bool HasType(JsonNode? value, JsonNode schema) =>
        (schema["oneOf"] ?? schema["anyOf"]) is JsonArray either && either.Any(option => option!["type"] is not null)
            ? either.Any(option => HasType(value, option!))
            : (string?)schema["type"] switch
            {
                "object" => value is JsonObject,
                "array" => value is JsonArray,
                "string" => value is JsonValue text && text.TryGetValue<string>(out _),
                "integer" or "number" => value is JsonValue number && number.TryGetValue<int>(out _),
                "boolean" => value is JsonValue flag && flag.TryGetValue<bool>(out _),
                _ => true,
            };
}
