using YamlDotNet.Serialization;

namespace Aspire.Hosting.Kubernetes.Resources;

/// <summary>An object of a cluster. Properties are written in their order here.</summary>
public abstract class BaseKubernetesResource
{
    /// <summary>Makes an object of a kind.</summary>
    protected BaseKubernetesResource(string apiVersion, string kind)
    {
        ApiVersion = apiVersion;
        Kind = kind;
    }

    /// <summary>Group and version of the kind.</summary>
    [YamlMember(Order = -3)]
    public string ApiVersion { get; internal set; }

    /// <summary>What it is.</summary>
    [YamlMember(Order = -2)]
    public string Kind { get; internal set; }

    /// <summary>What is known of it besides.</summary>
    [YamlMember(Order = -1)]
    public ObjectMetaV1 Metadata { get; set; } = new();
}

/// <summary>Name, labels and annotations of an object.</summary>
public sealed class ObjectMetaV1
{
    /// <summary>Unique among objects of its kind in the namespace.</summary>
    public string Name { get; set; } = null!;

    /// <summary>What tools note.</summary>
    public Dictionary<string, string> Annotations { get; } = [];

    /// <summary>What selects it.</summary>
    public Dictionary<string, string> Labels { get; set; } = [];
}

/// <summary>Which objects are meant, by their labels.</summary>
public sealed class LabelSelectorV1
{
    /// <summary>Labels that they all have.</summary>
    public Dictionary<string, string> MatchLabels { get; } = [];
}

/// <summary>Environment variables.</summary>
public sealed class ConfigMap() : BaseKubernetesResource("v1", "ConfigMap")
{
    /// <summary>Name to value.</summary>
    public Dictionary<string, string> Data { get; } = [];
}

/// <summary>Environment variables that are secret.</summary>
public sealed class Secret() : BaseKubernetesResource("v1", "Secret")
{
    /// <summary>Name to value, which the cluster encodes.</summary>
    public Dictionary<string, string> StringData { get; } = [];

    /// <summary>Kind of its content.</summary>
    public string Type { get; internal set; } = null!;
}

/// <summary>A stable name and address for pods.</summary>
public sealed class Service() : BaseKubernetesResource("v1", "Service")
{
    /// <summary>Its pods and ports.</summary>
    public ServiceSpecV1 Spec { get; set; } = new();
}

/// <summary>Pods and ports of a service.</summary>
public sealed class ServiceSpecV1
{
    /// <summary>From where it is reached.</summary>
    public string Type { get; set; } = "ClusterIP";

    /// <summary>Labels of its pods.</summary>
    public Dictionary<string, string> Selector { get; set; } = [];

    /// <summary>Its ports.</summary>
    public List<ServicePortV1> Ports { get; } = [];
}

/// <summary>A port of a service.</summary>
public sealed class ServicePortV1
{
    /// <summary>Unique in the service.</summary>
    public string Name { get; set; } = null!;

    /// <summary>TCP or UDP.</summary>
    public string Protocol { get; set; } = null!;

    /// <summary>Port that clients use.</summary>
    public Int32OrStringV1 Port { get; set; } = null!;

    /// <summary>Port of the pods, or its name.</summary>
    public Int32OrStringV1 TargetPort { get; set; } = null!;
}

/// <summary>A request for storage.</summary>
public sealed class PersistentVolumeClaim() : BaseKubernetesResource("v1", "PersistentVolumeClaim")
{
    /// <summary>What is asked for.</summary>
    public PersistentVolumeClaimSpecV1 Spec { get; set; } = new();
}

/// <summary>What a claim asks for.</summary>
public sealed class PersistentVolumeClaimSpecV1
{
    /// <summary>Kind of storage.</summary>
    public string StorageClassName { get; set; } = null!;

    /// <summary>Who may use it at once.</summary>
    public List<string> AccessModes { get; } = [];

    /// <summary>How much.</summary>
    public VolumeResourceRequirementsV1 Resources { get; set; } = new();
}

/// <summary>Size of a claim.</summary>
public sealed class VolumeResourceRequirementsV1
{
    /// <summary>The key <c>storage</c> with a size.</summary>
    public Dictionary<string, string> Requests { get; } = [];
}
