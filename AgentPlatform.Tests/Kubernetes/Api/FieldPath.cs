using System.Collections.Immutable;
using System.Text.Json.Nodes;

namespace AgentPlatform.Tests.Kubernetes.Api;

/// <summary>A step into an object: a field, or the item of a list that has certain values in its key fields.</summary>
/// <param name="Name">The field, or the item's key values, such as <c>{"name":"http"}</c>.</param>
/// <param name="Keys">Key fields of the list; null for a field.</param>
internal readonly record struct FieldStep(string Name, IReadOnlyList<string>? Keys)
{
    /// <summary>The item's values in the key fields of its list.</summary>
    public static string KeyOf(JsonNode item, IReadOnlyList<string> keys) => keys.Count == 0
        ? item.ToJsonString()
        : new JsonObject(keys.Select(key => KeyValuePair.Create(key, (item[key] ?? Default(key))?.DeepClone()))).ToJsonString();

    public JsonNode? In(JsonNode? node)
    {
        var (name, keys) = this;
        return keys is null ? (node as JsonObject)?[name] : (node as JsonArray)?.FirstOrDefault(item => KeyOf(item!, keys) == name);
    }

    public void RemoveFrom(JsonNode node)
    {
        if (Keys is null)
        {
            node.AsObject().Remove(Name);
        }
        else
        {
            node.AsArray().Remove(In(node));
        }
    }

    // The only key that has one.
    private static JsonValue? Default(string key) => key == "protocol" ? JsonValue.Create("TCP") : null;
}

/// <summary>
/// Where in an object a value is that has one owner: a scalar, a list or map that is set as a whole, or an item of a list that is merged.
/// </summary>
internal sealed class FieldPath
{
    private readonly ImmutableList<FieldStep> _steps;

    private FieldPath(ImmutableList<FieldStep> steps) =>
        (_steps, Text) = (steps, string.Concat(steps.Select(step => step.Keys is null ? $".{step.Name}" : $"[{step.Name}]")));

    public static FieldPath Root { get; } = new([]);

    /// <summary>As a sentence would name it, such as <c>.spec.replicas</c>; two of the same text are the same.</summary>
    public string Text { get; }

    public FieldPath Into(FieldStep step) => new(_steps.Add(step));

    public JsonNode? In(JsonNode item) => _steps.Aggregate((JsonNode?)item, (node, step) => step.In(node));

    /// <summary>Takes the value away, and with it the maps and lists that have nothing else.</summary>
    public void RemoveFrom(JsonNode item)
    {
        for (var depth = _steps.Count; depth > 0; depth--)
        {
            var holder = _steps.Take(depth - 1).Aggregate((JsonNode?)item, (node, step) => step.In(node));
            if (holder is null || _steps[depth - 1].In(holder) is not { } value)
            {
                continue;
            }

            if (depth < _steps.Count && value is JsonObject { Count: > 0 } or JsonArray { Count: > 0 })
            {
                return;
            }

            _steps[depth - 1].RemoveFrom(holder);
        }
    }
}
