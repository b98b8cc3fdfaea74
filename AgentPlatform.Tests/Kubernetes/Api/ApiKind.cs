using System.Text.Json.Nodes;

namespace AgentPlatform.Tests.Kubernetes.Api;

/// <summary>A kind of object that the server of the tests knows: those of the chart, and what Helm looks at besides.</summary>
internal sealed record ApiKind(string Group, string Version, string Plural, string Kind, bool IsNamespaced = true)
{
    public static IReadOnlyList<ApiKind> All { get; } =
    [
        new("", "v1", "namespaces", "Namespace", IsNamespaced: false),
        new("", "v1", "configmaps", "ConfigMap"),
        new("", "v1", "pods", "Pod"),
        new("", "v1", "secrets", "Secret"),
        new("", "v1", "serviceaccounts", "ServiceAccount"),
        new("", "v1", "services", "Service"),
        new("admissionregistration.k8s.io", "v1", "validatingadmissionpolicies", "ValidatingAdmissionPolicy", IsNamespaced: false),
        new(
            "admissionregistration.k8s.io", "v1", "validatingadmissionpolicybindings", "ValidatingAdmissionPolicyBinding",
            IsNamespaced: false),
        new("apps", "v1", "deployments", "Deployment"),
        new("apps", "v1", "replicasets", "ReplicaSet"),
        new("apps", "v1", "statefulsets", "StatefulSet"),
        new("autoscaling", "v2", "horizontalpodautoscalers", "HorizontalPodAutoscaler"),
        new("cert-manager.io", "v1", "certificates", "Certificate"),
        new("cert-manager.io", "v1", "issuers", "Issuer"),
        new("keda.sh", "v1alpha1", "scaledobjects", "ScaledObject"),
        new("keda.sh", "v1alpha1", "triggerauthentications", "TriggerAuthentication"),
        new("networking.k8s.io", "v1", "ingresses", "Ingress"),
        new("networking.k8s.io", "v1", "networkpolicies", "NetworkPolicy"),
        new("policy", "v1", "poddisruptionbudgets", "PodDisruptionBudget"),
        new("rbac.authorization.k8s.io", "v1", "rolebindings", "RoleBinding"),
        new("rbac.authorization.k8s.io", "v1", "roles", "Role"),
    ];

    public string ApiVersion => Group.Length == 0 ? Version : $"{Group}/{Version}";

    /// <summary>Where objects of its group are, such as <c>/apis/apps/v1</c>.</summary>
    public string Root => Group.Length == 0 ? $"/api/{Version}" : $"/apis/{Group}/{Version}";

    public bool CanBeScaled => Group == "apps";
}

/// <summary>What a server says of itself, by which clients find out what they can ask it.</summary>
internal static class ApiDiscovery
{
    private static readonly string[] _verbs = ["create", "delete", "get", "list", "patch", "update", "watch"];

    /// <summary>The answer for a path, if it is one of these.</summary>
    public static object? Answer(string path, bool hasMetrics) => path switch
    {
        "/version" => new { major = "1", minor = "36", gitVersion = "v1.36.0" },
        "/api" => new { kind = "APIVersions", versions = (string[])["v1"] },
        "/apis" => new
        {
            kind = "APIGroupList",
            apiVersion = "v1",
            groups = Groups().Where(kinds => kinds.First().Group.Length > 0).Select(Group)
                .Concat(hasMetrics ? [Group("metrics.k8s.io", "v1beta1")] : []),
        },
        "/apis/metrics.k8s.io/v1beta1" when hasMetrics => new
        {
            kind = "APIResourceList",
            apiVersion = "v1",
            groupVersion = path["/apis/".Length..],
            resources = Array.Empty<object>(),
        },
        "/openapi/v3" => new
        {
            paths = Groups().ToDictionary(kinds => kinds.Key[1..], kinds => new { serverRelativeURL = $"/openapi/v3{kinds.Key}?hash=1" }),
        },
        _ when Groups().FirstOrDefault(kinds => kinds.Key == path) is { } kinds => Resources(kinds),
        _ when Groups().FirstOrDefault(kinds => $"/openapi/v3{kinds.Key}" == path) is { } kinds => Operations(kinds),
        _ => null,
    };

    private static IEnumerable<IGrouping<string, ApiKind>> Groups() => ApiKind.All.GroupBy(kind => kind.Root);

    private static object Group(IGrouping<string, ApiKind> kinds) => Group(kinds.First().Group, kinds.First().Version);

    private static object Group(string name, string version)
    {
        var only = new { groupVersion = $"{name}/{version}", version };
        return new { name, versions = new[] { only }, preferredVersion = only };
    }

    private static object Resources(IGrouping<string, ApiKind> kinds) => new
    {
        kind = "APIResourceList",
        apiVersion = "v1",
        groupVersion = kinds.First().ApiVersion,
        resources = kinds.SelectMany(kind => (JsonObject[])
        [
            Resource(kind.Plural, kind.Kind, kind.IsNamespaced),
            .. kind.CanBeScaled ? (JsonObject[])[Scale(kind)] : [],
        ]),
    };

    private static JsonObject Resource(string name, string kind, bool isNamespaced) => new()
    {
        ["name"] = name,
        ["singularName"] = kind.ToLowerInvariant(),
        ["namespaced"] = isNamespaced,
        ["kind"] = kind,
        ["verbs"] = new JsonArray([.. _verbs.Select(verb => JsonValue.Create(verb))]),
    };

    private static JsonObject Scale(ApiKind kind)
    {
        var scale = Resource($"{kind.Plural}/scale", "Scale", isNamespaced: true);
        (scale["group"], scale["version"]) = ("autoscaling", "v1");
        return scale;
    }

    // All that clients look for: that the server checks fields itself, so that they need not.
    private static object Operations(IGrouping<string, ApiKind> kinds) => new
    {
        openapi = "3.0.0",
        info = new { title = "Kubernetes", version = "v1.36.0" },
        paths = kinds.ToDictionary(kind => $"{kind.Root}/{kind.Plural}/{{name}}", kind => new
        {
            patch = new Dictionary<string, object>
            {
                ["parameters"] = new object[] { new { name = "fieldValidation", @in = "query" } },
                ["x-kubernetes-group-version-kind"] = new { group = kind.Group, version = kind.Version, kind = kind.Kind },
            },
        }),
    };
}
