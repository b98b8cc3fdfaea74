using YamlDotNet.Serialization;

namespace Aspire.Hosting.Kubernetes.Resources;

/// <summary>An object that runs pods.</summary>
public abstract class Workload(string apiVersion, string kind) : BaseKubernetesResource(apiVersion, kind)
{
    /// <summary>What its pods are like.</summary>
    [YamlIgnore]
    public abstract PodTemplateSpecV1 PodTemplate { get; }
}

/// <summary>Pods that are all alike.</summary>
public sealed class Deployment() : Workload("apps/v1", "Deployment")
{
    /// <summary>Pods, and how they are replaced.</summary>
    public DeploymentSpecV1 Spec { get; set; } = new();

    /// <inheritdoc />
    [YamlIgnore]
    public override PodTemplateSpecV1 PodTemplate => Spec.Template;
}

/// <summary>Pods and how they are replaced.</summary>
public sealed class DeploymentSpecV1
{
    /// <summary>What a pod is like.</summary>
    public PodTemplateSpecV1 Template { get; set; } = new();

    /// <summary>Which pods are its own.</summary>
    public LabelSelectorV1 Selector { get; set; } = new();

    /// <summary>How long a pod must be ready before it counts.</summary>
    public int? MinReadySeconds { get; set; }

    /// <summary>When a replacement that does not get on is reported.</summary>
    public int? ProgressDeadlineSeconds { get; set; }

    /// <summary>How many pods; null leaves it to an autoscaler.</summary>
    public int? Replicas { get; set; } = 1;

    /// <summary>How many earlier versions are kept.</summary>
    public int? RevisionHistoryLimit { get; internal set; }

    /// <summary>How pods are replaced.</summary>
    public DeploymentStrategyV1 Strategy { get; set; } = new();
}

/// <summary>How pods are replaced.</summary>
public sealed class DeploymentStrategyV1
{
    /// <summary>How many at once.</summary>
    public RollingUpdateDeploymentV1 RollingUpdate { get; set; } = new();

    /// <summary>RollingUpdate or Recreate.</summary>
    public string Type { get; set; } = "RollingUpdate";
}

/// <summary>How many pods are replaced at once.</summary>
public sealed class RollingUpdateDeploymentV1
{
    /// <summary>How many more than wanted there may be.</summary>
    public int MaxSurge { get; set; } = 1;

    /// <summary>How many fewer than wanted there may be.</summary>
    public int MaxUnavailable { get; set; } = 1;
}

/// <summary>Pods with a name and storage of their own.</summary>
public sealed class StatefulSet() : Workload("apps/v1", "StatefulSet")
{
    /// <summary>Pods and their storage.</summary>
    public StatefulSetSpecV1 Spec { get; set; } = new();

    /// <inheritdoc />
    [YamlIgnore]
    public override PodTemplateSpecV1 PodTemplate => Spec.Template;
}

/// <summary>Pods and their storage.</summary>
public sealed class StatefulSetSpecV1
{
    /// <summary>Service that gives the pods their host names.</summary>
    public string ServiceName { get; set; } = null!;

    /// <summary>What a pod is like.</summary>
    public PodTemplateSpecV1 Template { get; set; } = new();

    /// <summary>Which pods are its own.</summary>
    public LabelSelectorV1 Selector { get; set; } = new();

    /// <summary>How many pods.</summary>
    public int? Replicas { get; set; }

    /// <summary>OrderedReady or Parallel.</summary>
    public string? PodManagementPolicy { get; set; }

    /// <summary>Storage of each pod.</summary>
    public List<PersistentVolumeClaim> VolumeClaimTemplates { get; } = [];
}
