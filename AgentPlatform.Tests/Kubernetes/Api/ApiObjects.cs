using System.Globalization;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;

namespace AgentPlatform.Tests.Kubernetes.Api;

/// <summary>What a request cannot have, as the API says it.</summary>
internal sealed class ApiException(int code, string reason, string message) : Exception(message)
{
    public int Code { get; } = code;

    public string Reason { get; } = reason;
}

/// <summary>A change of an object.</summary>
internal sealed record ApiChange(long Version, string Type, ApiKind Kind, JsonObject Item);

/// <summary>
/// The objects of a cluster, in memory. Each is checked strictly when it comes, and what a real API server lets nobody change, nobody can
/// change here. Safe for use from many threads.
/// </summary>
internal sealed class ApiObjects(ObjectSchemas schemas)
{
    // What of these specs may change; of all other kinds everything may.
    // https://github.com/kubernetes/kubernetes/tree/master/pkg/apis/apps/validation
    private static readonly string[] _changeableOfSets =
    [
        "replicas", "template", "updateStrategy", "ordinals", "minReadySeconds", "persistentVolumeClaimRetentionPolicy",
        "revisionHistoryLimit",
    ];

    private readonly Lock _lock = new();
    private readonly Dictionary<(ApiKind Kind, string Namespace, string Name), Stored> _items = [];
    private readonly List<ApiChange> _changes = [];
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Whether the pods of a workload come up; those of all do unless a test says otherwise.</summary>
    public Func<JsonObject, bool> IsReady { get; set; } = _ => true;

    /// <summary>The last change.</summary>
    public long Version
    {
        get
        {
            lock (_lock)
            {
                return _changes.Count;
            }
        }
    }

    /// <summary>Objects of a kind in a namespace, or in all of them.</summary>
    public IReadOnlyList<JsonObject> List(ApiKind kind, string? space)
    {
        lock (_lock)
        {
            return
            [
                .. _items.Where(item => item.Key.Kind == kind && (space is null || item.Key.Namespace == space))
                    .Select(item => (JsonObject)item.Value.Item.DeepClone()),
            ];
        }
    }

    /// <exception cref="ApiException">There is none.</exception>
    public JsonObject Get(ApiKind kind, string space, string name)
    {
        lock (_lock)
        {
            return (JsonObject)Find(kind, space, name).Item.DeepClone();
        }
    }

    public void CreateNamespace(string name) => Create(
        ApiKind.All[0], "",
        new JsonObject { ["apiVersion"] = "v1", ["kind"] = "Namespace", ["metadata"] = new JsonObject { ["name"] = name } }, "test",
        isDryRun: false);

    public JsonObject Create(ApiKind kind, string space, JsonObject item, string owner, bool isDryRun)
    {
        lock (_lock)
        {
            var name = (string)item["metadata"]!["name"]!;
            return _items.ContainsKey((kind, space, name))
                ? throw new ApiException(StatusCodes.Status409Conflict, "AlreadyExists", $"{kind.Plural} \"{name}\" already exists")
                : Keep(
                    kind, space, null, Prepare(kind, space, name, item), stored => stored.Owners.Changed([], stored.Item, owner), isDryRun);
        }
    }

    public JsonObject Replace(ApiKind kind, string space, string name, JsonObject item, string owner, bool isDryRun)
    {
        lock (_lock)
        {
            var known = Find(kind, space, name);
            return (string?)item["metadata"]!["resourceVersion"] is { Length: > 0 } version
                && version != (string?)known.Item["metadata"]!["resourceVersion"]
                ? throw new ApiException(StatusCodes.Status409Conflict, "Conflict", $"{kind.Plural} \"{name}\" has been modified")
                : Keep(
                    kind, space, known, Prepare(kind, space, name, item), stored => stored.Owners.Changed(known.Item, stored.Item, owner),
                    isDryRun);
        }
    }

    /// <summary>Server-side apply: makes the object, or merges what its owner now wants.</summary>
    public JsonObject Apply(ApiKind kind, string space, string name, JsonObject wanted, string owner, bool force, bool isDryRun)
    {
        lock (_lock)
        {
            wanted = Prepare(kind, space, name, wanted);
            var known = _items.GetValueOrDefault((kind, space, name));
            var item = (JsonObject?)known?.Item.DeepClone() ?? new JsonObject { ["apiVersion"] = kind.ApiVersion, ["kind"] = kind.Kind };
            return Keep(kind, space, known, item, stored =>
            {
                if (stored.Owners.Apply(stored.Item, wanted, owner, force) is { Count: > 0 } conflicts)
                {
                    throw new ApiException(
                        StatusCodes.Status409Conflict, "Conflict",
                        $"Apply failed with {conflicts.Count} conflict(s): {string.Join(", ", conflicts)}");
                }
            }, isDryRun);
        }
    }

    public void Delete(ApiKind kind, string space, string name)
    {
        lock (_lock)
        {
            var known = Find(kind, space, name);
            _items.Remove((kind, space, name));
            Note("DELETED", kind, known.Item);
        }
    }

    /// <summary>Changes after a version; waits until there are some.</summary>
    public async Task<IReadOnlyList<ApiChange>> ChangesAsync(long after, CancellationToken cancellationToken)
    {
        while (true)
        {
            Task changed;
            lock (_lock)
            {
                if (_changes.Count > after)
                {
                    return _changes[(int)after..];
                }

                changed = _changed.Task;
            }

            await changed.WaitAsync(cancellationToken);
        }
    }

    private Stored Find(ApiKind kind, string space, string name) => _items.GetValueOrDefault((kind, space, name))
        ?? throw new ApiException(StatusCodes.Status404NotFound, "NotFound", $"{kind.Plural} \"{name}\" not found");

    // As the API takes it: no field without a value, nothing that it makes itself, and where it is said by the path.
    private JsonObject Prepare(ApiKind kind, string space, string name, JsonObject item)
    {
        var prepared = (JsonObject)WithoutNulls(item)!;
        prepared.Remove("status");
        var metadata = prepared["metadata"]!.AsObject();
        foreach (var own in (string[])["resourceVersion", "uid", "generation", "creationTimestamp", "managedFields"])
        {
            metadata.Remove(own);
        }

        metadata["name"] = name;
        if (kind.IsNamespaced)
        {
            metadata["namespace"] = space;
        }

        return schemas.Check(prepared) is { Count: > 0 } mistakes
            ? throw new ApiException(StatusCodes.Status422UnprocessableEntity, "Invalid", string.Join(' ', mistakes))
            : prepared;
    }

    private JsonObject Keep(ApiKind kind, string space, Stored? known, JsonObject item, Action<Stored> change, bool isDryRun)
    {
        if (kind.IsNamespaced && !_items.ContainsKey((ApiKind.All[0], "", space)))
        {
            throw new ApiException(StatusCodes.Status404NotFound, "NotFound", $"namespaces \"{space}\" not found");
        }

        var stored = new Stored(item, known?.Owners.Copy() ?? new FieldOwners(new MergeSchema(schemas, schemas.Find(item))));
        change(stored);
        if (known is not null)
        {
            CheckFixed(kind, known.Item, item);
        }

        // Also where its only owner no longer applies it.
        if (kind.CanBeScaled && item["spec"]!["replicas"] is null)
        {
            item["spec"]!["replicas"] = 1;
        }

        var metadata = item["metadata"]!;
        metadata["managedFields"] = stored.Owners.Managed();
        metadata["uid"] = (string?)known?.Item["metadata"]!["uid"] ?? Guid.NewGuid().ToString();
        metadata["creationTimestamp"] = (string?)known?.Item["metadata"]!["creationTimestamp"]
            ?? TimeProvider.System.GetUtcNow().ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture);
        metadata["generation"] = ((int?)known?.Item["metadata"]!["generation"] ?? 0) + (
            JsonNode.DeepEquals(known?.Item["spec"], item["spec"]) && known is not null ? 0 : 1);
        WorkloadStatus.Set(item, IsReady(item));
        if (!isDryRun)
        {
            _items[(kind, space, (string)metadata["name"]!)] = stored;
            Note(known is null ? "ADDED" : "MODIFIED", kind, item);
        }

        return (JsonObject)item.DeepClone();
    }

    private void Note(string type, ApiKind kind, JsonObject item)
    {
        var version = _changes.Count + 1;
        item["metadata"]!["resourceVersion"] = version.ToString(CultureInfo.InvariantCulture);
        _changes.Add(new(version, type, kind, (JsonObject)item.DeepClone()));
        var changed = _changed;
        _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
        changed.SetResult();
    }

    private static void CheckFixed(ApiKind kind, JsonObject before, JsonObject after)
    {
        var changed = kind.Kind switch
        {
            "Deployment" => !JsonNode.DeepEquals(before["spec"]!["selector"], after["spec"]!["selector"]) ? ".spec.selector" : null,
            "StatefulSet" => before["spec"]!.AsObject().Select(field => field.Key)
                .Concat(after["spec"]!.AsObject().Select(field => field.Key)).Except(_changeableOfSets)
                .FirstOrDefault(field => !JsonNode.DeepEquals(before["spec"]![field], after["spec"]![field])) is { } field
                    ? $".spec.{field}"
                    : null,
            "RoleBinding" => !JsonNode.DeepEquals(before["roleRef"], after["roleRef"]) ? ".roleRef" : null,
            "Secret" => !JsonNode.DeepEquals(before["type"], after["type"]) ? ".type" : null,
            _ => null,
        };
        if (changed is not null)
        {
            throw new ApiException(
                StatusCodes.Status422UnprocessableEntity, "Invalid", $"{kind.Kind} {Chart.Name(after)}{changed}: field is immutable");
        }
    }

    private static JsonNode? WithoutNulls(JsonNode? node) => node switch
    {
        JsonObject fields => new JsonObject(
            fields.Where(field => field.Value is not null).Select(field => KeyValuePair.Create(field.Key, WithoutNulls(field.Value)))),
        JsonArray items => new JsonArray([.. items.Select(WithoutNulls)]),
        _ => node?.DeepClone(),
    };

    private sealed record Stored(JsonObject Item, FieldOwners Owners);
}
