using System.Text.Json;

namespace AgentPlatform.Tests.Kubernetes;

/// <summary>
/// Values that charts are rendered with, as <c>helm --set</c> takes them, or with a map or list in braces or brackets.
/// </summary>
internal static class ChartScenarios
{
    /// <summary>What has no default, and comes before all other settings.</summary>
    public static readonly string[] Images = ["images.gateway=registry.example/gateway:1", "images.worker=registry.example/worker:1"];

    /// <summary>Nothing but the defaults.</summary>
    public static readonly string[] Defaults = [];

    public static readonly string[] Ingress = ["ingress.enabled=true"];

    public static readonly string[] IngressOfAKind =
        ["ingress.enabled=true", "ingress.className=traefik", "ingress.annotations={example.org/buffering: 'off'}"];

    /// <summary>A text that means something wherever it enters YAML, JSON, an address or a regular expression.</summary>
    public const string AwkwardText = "He said \"no\": {{ .x }} \\n 'a' #1 <&> $(B) |\t+";

    /// <summary>Such texts as values.</summary>
    public static readonly string[] Awkward =
    [
        $"config.gateway.Models__0__Description={JsonSerializer.Serialize(AwkwardText)}",
        $"broker.virtualHost={JsonSerializer.Serialize(AwkwardText)}",
        $"telemetry.otlpEndpoint={JsonSerializer.Serialize(AwkwardText)}",
    ];

    /// <summary>A version with a dot and a plus sign; the committed chart only.</summary>
    public static readonly string[] AwkwardVersion = ["pools.tiny_chat.version=1.0+b"];

    public static readonly string[] ExistingBroker =
        ["broker.enabled=false", "broker.existingSecret=rabbit", "broker.host=rabbit.example", "broker.scheme=amqps", "broker.port=5671"];

    public static readonly string[] Tls = ["broker.tls.secretName=rabbit-tls"];

    public static readonly string[] WithoutKeda = ["keda.enabled=false"];

    public static readonly string[] WithoutPolicies = ["networkPolicies.enabled=false"];

    public static readonly string[] WithoutDeletionCost = ["deletionCost.enabled=false"];

    public static readonly string[] KedaElsewhere = ["keda.namespace=scaling"];

    public static readonly string[] ApiAddresses = ["deletionCost.apiPeers=[{ipBlock: {cidr: 10.0.0.1/32}}]", "deletionCost.apiPort=16443"];

    public static readonly string[] WithoutAdmissionPolicy = ["deletionCost.admissionPolicy=false"];

    public static readonly string[] CertManager = ["broker.tls.certManager=true"];

    public static readonly string[] TlsOnly = ["broker.tls.secretName=rabbit-tls", "broker.tls.only=true"];

    public static readonly string[] OtherDns = ["networkPolicies.dnsPeers=[{ipBlock: {cidr: 10.0.0.10/32}}]"];

    public static readonly string[] SmallBroker = ["broker.memory=320Mi", "broker.storage=2.5G"];

    public static readonly string[] HalfBroker = ["broker.memory=512Mi"];

    public static readonly string[] LargeBroker = ["broker.memory=32Gi", "broker.storage=1000G"];

    public static readonly string[] BrokerOfThree = ["broker.replicas=3"];

    public static readonly string[] FromZero = ["pools.tiny_chat.minReplicas=0"];

    /// <summary>Another version of one model; the committed chart only.</summary>
    public static readonly string[] Version = ["pools.tiny_chat.version=v2"];

    /// <summary>Sections of the parts of the committed chart that have pods.</summary>
    public static readonly string[] Parts = ["gateway", "broker", "pools.sentiment", "pools.tiny_chat"];

    /// <summary>Nodes, taints and priority of each part; the committed chart only.</summary>
    public static readonly string[] Placement =
    [
        "imagePullSecrets=[{name: registry}]",
        .. Parts.Select(part => $"{part}.nodeSelector={{example/part: '{part}'}}"),
        .. Parts.Select(part => $"{part}.tolerations=[{{key: '{part}', operator: Exists}}]"),
        .. Parts.Select(part => $"{part}.priorityClassName={part}"),
    ];

    /// <summary>Those that any chart can be rendered with.</summary>
    public static IReadOnlyList<string[]> OfAnyChart { get; } =
    [
        Defaults,
        Ingress,
        IngressOfAKind,
        Awkward,
        CertManager,
        TlsOnly,
        OtherDns,
        BrokerOfThree,
        SmallBroker,
        HalfBroker,
        LargeBroker,
        WithoutAdmissionPolicy,
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
        [
            "broker.storageClass=fast", "imagePullSecrets=[{name: registry}]", "gateway.priorityClassName=low",
            "gateway.nodeSelector={disk: ssd}", "broker.tolerations=[{key: a, operator: Exists}]",
        ],
        [
            "gateway.nodeSelector={kubernetes.io/os: null}", "gateway.minReplicas=3", "gateway.cpu=2",
            "images.gateway=registry.example/gateway@sha256:00",
        ],
    ];

    /// <summary>Values that do not go together, and what is said of them.</summary>
    public static IReadOnlyList<(string[] Settings, string Sentence)> Refused { get; } =
    [
        (
            ["broker.scheme=amqps"],
            "broker.scheme is amqps, and the release's own broker speaks TLS only with broker.tls.certManager or broker.tls.secretName."),
        (["broker.tls.certManager=true", "broker.enabled=false"],
            "broker.tls.certManager makes the certificate of the release's own broker: with broker.enabled=false, broker.tls.secretName "
                + "names a Secret with the ca.crt of that one."),
        (["images.worker="],
            "images.worker names no image: build and push the worker's, as docs/images.md says, and set it, by its digest at best, such "
                + "as registry.example/worker@sha256:...."),
        (["gateway.minReplicas=7"], "gateway.minReplicas is above gateway.maxReplicas."),
        (
            ["pools.tiny_chat.maxReplicas=1", "pools.tiny_chat.minReplicas=2"],
            "pools.tiny_chat.minReplicas is above pools.tiny_chat.maxReplicas."),
    ];
}
