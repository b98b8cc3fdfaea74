namespace AgentPlatform.Tests.Kubernetes;

/// <summary>
/// What charts are rendered with, as <c>helm --set</c> takes it, or with a map or list in braces or brackets. Tests render with nothing else, so
/// that what Helm itself makes of the same is compared for all of it.
/// </summary>
internal static class ChartScenarios
{
    /// <summary>Nothing but the defaults.</summary>
    public static readonly string[] Defaults = [];

    public static readonly string[] Ingress = ["ingress.enabled=true"];

    public static readonly string[] ExistingBroker =
        ["broker.enabled=false", "broker.existingSecret=rabbit", "broker.host=rabbit.example", "broker.scheme=amqps", "broker.port=5671"];

    public static readonly string[] Tls = ["broker.tls.secretName=rabbit-tls"];

    public static readonly string[] WithoutKeda = ["keda.enabled=false"];

    public static readonly string[] WithoutPolicies = ["networkPolicies.enabled=false"];

    public static readonly string[] WithoutDeletionCost = ["deletionCost.enabled=false"];

    public static readonly string[] KedaElsewhere = ["keda.namespace=scaling"];

    public static readonly string[] ApiAddresses = ["deletionCost.apiAddresses=10.0.0.1/32", "deletionCost.apiPort=16443"];

    /// <summary>Another version of one model; the committed chart only.</summary>
    public static readonly string[] Version = ["pools.tiny_chat.version=v2"];

    /// <summary>Sections of the parts of the committed chart that have pods.</summary>
    public static readonly string[] Parts = ["gateway", "broker", "pools.sentiment", "pools.tiny_chat"];

    /// <summary>Nodes, taints and priority of each part; the committed chart only.</summary>
    public static readonly string[] Placement =
    [
        "imagePullSecrets=[{name: registry}]",
        .. Parts.SelectMany(part => new[] { $"{part}.nodeSelector={{example/part: '{part}'}}", $"{part}.tolerations=[{{key: '{part}', operator: Exists}}]", $"{part}.priorityClassName={part}" }),
    ];

    /// <summary>Those that any chart can be rendered with.</summary>
    public static IReadOnlyList<string[]> OfAnyChart { get; } =
    [
        Defaults,
        Ingress,
        ["telemetry.otlpEndpoint=http://collector:4317"],
        ExistingBroker,
        ["broker.enabled=false", "broker.host=rabbit", "broker.virtualHost=a/b", "broker.managementUrl=https://rabbit:15671/"],
        Tls,
        WithoutKeda,
        WithoutPolicies,
        WithoutDeletionCost,
        KedaElsewhere,
        ApiAddresses,
        ["keda.enabled=false", "networkPolicies.enabled=false"],
        ["broker.storageClass=fast", "imagePullSecrets=[{name: registry}]", "gateway.priorityClassName=low", "gateway.nodeSelector={disk: ssd}", "broker.tolerations=[{key: a, operator: Exists}]"],
        ["gateway.nodeSelector={kubernetes.io/os: null}", "gateway.minReplicas=3", "gateway.cpu=2", "images.gateway=registry.example/gateway@sha256:00"],
    ];

    /// <summary>Values that do not go together, and what is said of them.</summary>
    public static IReadOnlyList<(string[] Settings, string Sentence)> Refused { get; } =
    [
        (["broker.scheme=amqps"], "broker.scheme is amqps, and the release's own broker speaks TLS only with broker.tls.secretName."),
        (["gateway.minReplicas=7"], "gateway.minReplicas is above gateway.maxReplicas."),
        (["pools.tiny_chat.maxReplicas=1", "pools.tiny_chat.minReplicas=2"], "pools.tiny_chat.minReplicas is above pools.tiny_chat.maxReplicas."),
    ];

    /// <summary>All of them.</summary>
    public static IReadOnlyList<string[]> OfTheCommittedChart { get; } = [.. OfAnyChart, Version, Placement];
}
