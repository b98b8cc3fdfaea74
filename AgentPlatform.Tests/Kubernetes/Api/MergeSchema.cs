using System.Text.Json.Nodes;

namespace AgentPlatform.Tests.Kubernetes.Api;

/// <summary>
/// How objects of a kind are merged, by what their schema says of maps and lists: field by field, item by item, or as a whole.
/// </summary>
/// <seealso href="https://kubernetes.io/docs/reference/using-api/server-side-apply/#merge-strategy"/>
internal sealed class MergeSchema(ObjectSchemas schemas, JsonNode? root)
{
    /// <summary>The values of an object that have an owner of their own.</summary>
    public IEnumerable<FieldPath> Fields(JsonObject item) => Fields(item, root, FieldPath.Root);

    /// <summary>Sets in an object what another one has.</summary>
    public void Merge(JsonObject item, JsonObject wanted) => Merge(item, wanted, root);

    private IEnumerable<FieldPath> Fields(JsonNode? node, JsonNode? schema, FieldPath path)
    {
        if (node is JsonObject { Count: > 0 } fields && IsMerged(schema))
        {
            return fields.SelectMany(field => Fields(field.Value, schemas.Field(schema, field.Key), path.Into(new(field.Key, null))));
        }

        return node is JsonArray items && Keys(schema) is { } keys
            ? items.SelectMany(item =>
            {
                var step = path.Into(new(FieldStep.KeyOf(item!, keys), keys));
                return Fields(item, schemas.Item(schema), step).Append(step).DistinctBy(field => field.Text);
            })
            : [path];
    }

    private void Merge(JsonObject item, JsonObject wanted, JsonNode? schema)
    {
        foreach (var (name, value) in wanted)
        {
            item[name] = Merged(item[name], value, schemas.Field(schema, name));
        }
    }

    private JsonNode? Merged(JsonNode? node, JsonNode? wanted, JsonNode? schema)
    {
        if (node is JsonObject fields && wanted is JsonObject others && IsMerged(schema))
        {
            Merge(fields, others, schema);
            return fields;
        }

        if (node is not JsonArray items || wanted is not JsonArray additions || Keys(schema) is not { } keys)
        {
            return wanted?.DeepClone();
        }

        foreach (var addition in additions)
        {
            var step = new FieldStep(FieldStep.KeyOf(addition!, keys), keys);
            if (step.In(items) is not { } known)
            {
                items.Add(addition!.DeepClone());
            }
            else if (known is JsonObject merged)
            {
                Merge(merged, addition!.AsObject(), schemas.Item(schema));
            }
        }

        return items;
    }

    private bool IsMerged(JsonNode? schema) => schema is null || schemas.Text(schema, "x-kubernetes-map-type") != "atomic";

    // Key fields of a list that is merged; none where its items, being scalars, are keys themselves.
    private IReadOnlyList<string>? Keys(JsonNode? schema) => schema is null ? null : schemas.Text(schema, "x-kubernetes-list-type") switch
    {
        "map" => [.. Chart.List(schemas.Part(schema, "x-kubernetes-list-map-keys")).Select(key => (string)key!)],
        "set" => [],
        _ => null,
    };
}
