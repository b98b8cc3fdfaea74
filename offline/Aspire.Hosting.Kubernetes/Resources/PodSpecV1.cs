namespace Aspire.Hosting.Kubernetes.Resources;

/// <summary>What a pod is like.</summary>
public sealed class PodTemplateSpecV1
{
    /// <summary>Labels and annotations.</summary>
    public ObjectMetaV1 Metadata { get; set; } = new();

    /// <summary>Containers and where they run.</summary>
    public PodSpecV1 Spec { get; set; } = new();
}

/// <summary>Containers of a pod, and where they run.</summary>
public sealed class PodSpecV1
{
    /// <summary>How important it is.</summary>
    public string? PriorityClassName { get; set; }

    /// <summary>Account for the cluster's API.</summary>
    public string? ServiceAccountName { get; set; }

    /// <summary>Whether containers get a token for the cluster's API.</summary>
    public bool? AutomountServiceAccountToken { get; set; }

    /// <summary>Labels of the nodes that it may run on.</summary>
    public Dictionary<string, string> NodeSelector { get; } = [];

    /// <summary>The containers.</summary>
    public List<ContainerV1> Containers { get; } = [];

    /// <summary>Whether containers get variables for every service.</summary>
    public bool? EnableServiceLinks { get; set; }

    /// <summary>Credentials for registries of images.</summary>
    public List<LocalObjectReferenceV1> ImagePullSecrets { get; } = [];

    /// <summary>Containers that are started before; those that restart stay beside the others.</summary>
    public List<ContainerV1> InitContainers { get; } = [];

    /// <summary>How long it has from the wish to stop it to its end.</summary>
    public long? TerminationGracePeriodSeconds { get; set; }

    /// <summary>Taints of nodes that do not keep it away.</summary>
    public List<TolerationV1> Tolerations { get; } = [];

    /// <summary>How its like are spread.</summary>
    public List<TopologySpreadConstraintV1> TopologySpreadConstraints { get; } = [];

    /// <summary>Files that containers can mount.</summary>
    public List<VolumeV1> Volumes { get; } = [];

    /// <summary>As whom containers run.</summary>
    public PodSecurityContextV1? SecurityContext { get; set; }
}

/// <summary>An object of the same namespace.</summary>
public sealed class LocalObjectReferenceV1
{
    /// <summary>Its name.</summary>
    public string Name { get; set; } = null!;
}

/// <summary>A taint that does not keep a pod away.</summary>
public sealed class TolerationV1
{
    /// <summary>Exists or Equal.</summary>
    public string Operator { get; set; } = null!;

    /// <summary>Effect of the taint.</summary>
    public string Effect { get; set; } = null!;

    /// <summary>Key of the taint.</summary>
    public string Key { get; set; } = null!;
}

/// <summary>How pods are spread.</summary>
public sealed class TopologySpreadConstraintV1
{
    /// <summary>ScheduleAnyway or DoNotSchedule.</summary>
    public string? WhenUnsatisfiable { get; set; }

    /// <summary>Which pods.</summary>
    public LabelSelectorV1 LabelSelector { get; set; } = new();

    /// <summary>By how many pods places may differ.</summary>
    public int? MaxSkew { get; set; }

    /// <summary>Label of nodes that makes a place.</summary>
    public string? TopologyKey { get; set; }
}

/// <summary>As whom the containers of a pod run.</summary>
public sealed class PodSecurityContextV1
{
    /// <summary>System calls that are allowed.</summary>
    public SeccompProfileV1? SeccompProfile { get; set; }

    /// <summary>Group of its volumes.</summary>
    public long? FsGroup { get; set; }

    /// <summary>Group.</summary>
    public long? RunAsGroup { get; set; }

    /// <summary>User.</summary>
    public long? RunAsUser { get; set; }

    /// <summary>Whether the superuser is refused.</summary>
    public bool? RunAsNonRoot { get; set; }

    /// <summary>When the group of volumes is changed.</summary>
    public string FsGroupChangePolicy { get; set; } = null!;
}

/// <summary>System calls that are allowed.</summary>
public sealed class SeccompProfileV1
{
    /// <summary>RuntimeDefault, for example.</summary>
    public string Type { get; set; } = null!;
}

/// <summary>Files for the containers of a pod.</summary>
public sealed class VolumeV1
{
    /// <summary>Files of an image.</summary>
    public ImageVolumeSourceV1? Image { get; set; }

    /// <summary>Unique in the pod.</summary>
    public string Name { get; set; } = null!;

    /// <summary>Storage of a claim.</summary>
    public PersistentVolumeClaimVolumeSourceV1? PersistentVolumeClaim { get; set; }

    /// <summary>Values of a ConfigMap as files.</summary>
    public ConfigMapVolumeSourceV1? ConfigMap { get; set; }

    /// <summary>An empty folder that goes with the pod.</summary>
    public EmptyDirVolumeSourceV1? EmptyDir { get; set; }

    /// <summary>Values of a Secret as files.</summary>
    public SecretVolumeSourceV1? Secret { get; set; }
}

/// <summary>Files of an image.</summary>
public sealed class ImageVolumeSourceV1
{
    /// <summary>The image.</summary>
    public string Reference { get; set; } = null!;
}

/// <summary>Storage of a claim.</summary>
public sealed class PersistentVolumeClaimVolumeSourceV1
{
    /// <summary>The claim.</summary>
    public string ClaimName { get; set; } = null!;

    /// <summary>Whether it is only read.</summary>
    public bool? ReadOnly { get; set; }
}

/// <summary>Values of a ConfigMap as files.</summary>
public sealed class ConfigMapVolumeSourceV1
{
    /// <summary>The ConfigMap.</summary>
    public string Name { get; set; } = null!;
}

/// <summary>An empty folder.</summary>
public sealed class EmptyDirVolumeSourceV1
{
    /// <summary>Memory, or the node's disk.</summary>
    public string? Medium { get; set; }

    /// <summary>How much it holds.</summary>
    public string? SizeLimit { get; set; }
}

/// <summary>Values of a Secret as files.</summary>
public sealed class SecretVolumeSourceV1
{
    /// <summary>The Secret.</summary>
    public string SecretName { get; set; } = null!;

    /// <summary>Whether there need not be one.</summary>
    public bool? Optional { get; set; }

    /// <summary>Which of its values; all if there are none.</summary>
    public List<KeyToPathV1> Items { get; } = [];
}

/// <summary>A value as a file.</summary>
public sealed class KeyToPathV1
{
    /// <summary>Path of the file.</summary>
    public string Path { get; set; } = null!;

    /// <summary>Key of the value.</summary>
    public string Key { get; set; } = null!;
}
