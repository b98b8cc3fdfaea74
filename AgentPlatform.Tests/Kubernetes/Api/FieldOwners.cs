using System.Text.Json.Nodes;

namespace AgentPlatform.Tests.Kubernetes.Api;

/// <summary>
/// Who has set which fields of an object, and what follows from it when one of them applies another configuration: what it no longer has
/// goes, unless somebody else has set it too; what others have set stays, and to set it otherwise is a conflict.
/// </summary>
/// <seealso href="https://kubernetes.io/docs/reference/using-api/server-side-apply/"/>
internal sealed class FieldOwners
{
    private static readonly string[] _nobodys = [".apiVersion", ".kind", ".metadata.name", ".metadata.namespace"];

    private readonly MergeSchema _schema;
    private readonly Dictionary<string, Dictionary<string, FieldPath>> _owners;

    public FieldOwners(MergeSchema schema) : this(schema, [])
    {
    }

    private FieldOwners(MergeSchema schema, Dictionary<string, Dictionary<string, FieldPath>> owners) =>
        (_schema, _owners) = (schema, owners);

    /// <summary>The same, to change without changing these.</summary>
    public FieldOwners Copy() => new(_schema, _owners.ToDictionary(owner => owner.Key, owner => owner.Value.ToDictionary()));

    /// <summary>Merges what an owner wants into an object.</summary>
    /// <returns>The fields in which others want something else, which then keep the object as it is; with <paramref name="force"/> they
    /// lose them.</returns>
    public IReadOnlyList<string> Apply(JsonObject item, JsonObject wanted, string owner, bool force)
    {
        var fields = Fields(wanted);
        var conflicts = _owners.Where(other => other.Key != owner)
            .SelectMany(other => other.Value
                .Where(field => fields.ContainsKey(field.Key) && !JsonNode.DeepEquals(field.Value.In(item), field.Value.In(wanted)))
                .Select(field => (Other: other, field.Key)))
            .ToList();
        if (!force && conflicts.Count > 0)
        {
            return [.. conflicts.Select(conflict => $"conflict with \"{conflict.Other.Key}\": {conflict.Key}")];
        }

        conflicts.ForEach(conflict => conflict.Other.Value.Remove(conflict.Key));

        // An item of a list before its fields, by which it is found.
        foreach (var (text, path) in (_owners.GetValueOrDefault(owner) ?? []).OrderBy(field => field.Key.Length))
        {
            if (!fields.ContainsKey(text) && !_owners.Any(other => other.Key != owner && other.Value.ContainsKey(text)))
            {
                path.RemoveFrom(item);
            }
        }

        _schema.Merge(item, wanted);
        _owners[owner] = fields;
        return [];
    }

    /// <summary>Notes that somebody has changed an object without applying: the fields that it has changed are its own.</summary>
    public void Changed(JsonObject before, JsonObject after, string owner)
    {
        var fields = Fields(after).Where(field => !JsonNode.DeepEquals(field.Value.In(before), field.Value.In(after))).ToList();
        foreach (var other in _owners.Values)
        {
            fields.ForEach(field => other.Remove(field.Key));
        }

        var own = _owners.TryGetValue(owner, out var known) ? known : _owners[owner] = [];
        fields.ForEach(field => own[field.Key] = field.Value);
    }

    /// <summary>Who has set the number of replicas, as <c>metadata.managedFields</c> says it; of other fields nobody here asks.</summary>
    public JsonArray Managed() => [.. _owners.Where(owner => owner.Value.ContainsKey(".spec.replicas")).Select(owner => new JsonObject
    {
        ["manager"] = owner.Key,
        ["operation"] = owner.Key == "helm" ? "Apply" : "Update",
        ["fieldsType"] = "FieldsV1",
        ["fieldsV1"] = new JsonObject { ["f:spec"] = new JsonObject { ["f:replicas"] = new JsonObject() } },
    })];

    private Dictionary<string, FieldPath> Fields(JsonObject item) =>
        _schema.Fields(item).Where(field => !_nobodys.Contains(field.Text)).ToDictionary(field => field.Text);
}
