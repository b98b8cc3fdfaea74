namespace Aspire.Hosting.Kubernetes.Resources;

/// <summary>A container of a pod.</summary>
public sealed class ContainerV1
{
    /// <summary>The program instead of the image's own.</summary>
    public List<string> Command { get; } = [];

    /// <summary>The image.</summary>
    public string Image { get; set; } = null!;

    /// <summary>What happens at its end.</summary>
    public LifecycleV1? Lifecycle { get; set; }

    /// <summary>When it is restarted.</summary>
    public ProbeV1? LivenessProbe { get; set; }

    /// <summary>Unique in the pod.</summary>
    public string Name { get; set; } = null!;

    /// <summary>When requests are sent to it.</summary>
    public ProbeV1? ReadinessProbe { get; set; }

    /// <summary>When it counts as started.</summary>
    public ProbeV1? StartupProbe { get; set; }

    /// <summary>Variables of a ConfigMap or Secret.</summary>
    public List<EnvFromSourceV1> EnvFrom { get; } = [];

    /// <summary>Arguments of the program.</summary>
    public List<string> Args { get; } = [];

    /// <summary>Ports that it listens on.</summary>
    public List<ContainerPortV1> Ports { get; } = [];

    /// <summary>What it needs, and what it may use.</summary>
    public ResourceRequirementsV1? Resources { get; set; }

    /// <summary>Volumes that it sees.</summary>
    public List<VolumeMountV1> VolumeMounts { get; } = [];

    /// <summary>What it may do.</summary>
    public SecurityContextV1? SecurityContext { get; set; }

    /// <summary>Variables.</summary>
    public List<EnvVarV1> Env { get; } = [];

    /// <summary>When the image is pulled.</summary>
    public string ImagePullPolicy { get; set; } = "IfNotPresent";

    /// <summary>Always makes an init container stay.</summary>
    public string? RestartPolicy { get; set; }
}

/// <summary>What happens at the end of a container.</summary>
public sealed class LifecycleV1
{
    /// <summary>What happens before the signal to stop.</summary>
    public LifecycleHandlerV1? PreStop { get; set; }
}

/// <summary>What happens. All but one of the kinds must be set to null, as with Aspire's own type.</summary>
public sealed class LifecycleHandlerV1
{
    /// <summary>A command.</summary>
    public ExecActionV1 Exec { get; set; } = new();

    /// <summary>A pause.</summary>
    public SleepActionV1 Sleep { get; set; } = new();

    /// <summary>An HTTP request.</summary>
    public HttpGetActionV1 HttpGet { get; set; } = new();

    /// <summary>A connection.</summary>
    public TcpSocketActionV1 TcpSocket { get; set; } = new();
}

/// <summary>A pause.</summary>
public sealed class SleepActionV1
{
    /// <summary>Its length.</summary>
    public long Seconds { get; set; }
}

/// <summary>A command.</summary>
public sealed class ExecActionV1
{
    /// <summary>Program and arguments.</summary>
    public List<string> Command { get; } = [];
}

/// <summary>A connection.</summary>
public sealed class TcpSocketActionV1
{
    /// <summary>Number of the port.</summary>
    public int Port { get; set; }
}

/// <summary>An HTTP request.</summary>
public sealed class HttpGetActionV1
{
    /// <summary>HTTP or HTTPS.</summary>
    public string Scheme { get; set; } = null!;

    /// <summary>Path of the URL.</summary>
    public string Path { get; set; } = null!;

    /// <summary>Port, or its name.</summary>
    public Int32OrStringV1? Port { get; set; }
}

/// <summary>How a container is asked for its state.</summary>
public sealed class ProbeV1
{
    /// <summary>By a command.</summary>
    public ExecActionV1? Exec { get; set; }

    /// <summary>How many failures count.</summary>
    public int? FailureThreshold { get; set; }

    /// <summary>How many successes count.</summary>
    public int? SuccessThreshold { get; set; }

    /// <summary>Pause before the first.</summary>
    public int? InitialDelaySeconds { get; set; }

    /// <summary>Pause between two.</summary>
    public int? PeriodSeconds { get; set; }

    /// <summary>How long an answer may take.</summary>
    public int? TimeoutSeconds { get; set; }

    /// <summary>By an HTTP request.</summary>
    public HttpGetActionV1? HttpGet { get; set; }

    /// <summary>By a connection.</summary>
    public TcpSocketActionV1? TcpSocket { get; set; }
}

/// <summary>Variables of a ConfigMap or Secret.</summary>
public sealed class EnvFromSourceV1
{
    /// <summary>The ConfigMap.</summary>
    public ConfigMapEnvSourceV1? ConfigMapRef { get; set; }

    /// <summary>The Secret.</summary>
    public SecretEnvSourceV1? SecretRef { get; set; }
}

/// <summary>A ConfigMap.</summary>
public sealed class ConfigMapEnvSourceV1
{
    /// <summary>Its name.</summary>
    public string Name { get; internal set; } = null!;
}

/// <summary>A Secret.</summary>
public sealed class SecretEnvSourceV1
{
    /// <summary>Its name.</summary>
    public string Name { get; internal set; } = null!;
}

/// <summary>A port that a container listens on.</summary>
public sealed class ContainerPortV1
{
    /// <summary>Unique in the pod.</summary>
    public string Name { get; set; } = null!;

    /// <summary>TCP or UDP.</summary>
    public string Protocol { get; set; } = null!;

    /// <summary>Its number.</summary>
    public Int32OrStringV1? ContainerPort { get; set; }
}

/// <summary>What a container needs, and what it may use.</summary>
public sealed class ResourceRequirementsV1
{
    /// <summary>What it may use.</summary>
    public Dictionary<string, string> Limits { get; } = [];

    /// <summary>What it needs.</summary>
    public Dictionary<string, string> Requests { get; } = [];
}

/// <summary>A volume that a container sees.</summary>
public sealed class VolumeMountV1
{
    /// <summary>Name of the volume.</summary>
    public string Name { get; set; } = null!;

    /// <summary>Where it sees it.</summary>
    public string MountPath { get; set; } = null!;

    /// <summary>A file or folder of the volume instead of all of it.</summary>
    public string SubPath { get; set; } = null!;

    /// <summary>Whether it may only read.</summary>
    public bool? ReadOnly { get; set; }
}

/// <summary>What a container may do.</summary>
public sealed class SecurityContextV1
{
    /// <summary>Whether it may write into its own file system.</summary>
    public bool? ReadOnlyRootFilesystem { get; set; }

    /// <summary>Whether a program in it may get more rights than it has.</summary>
    public bool? AllowPrivilegeEscalation { get; set; }

    /// <summary>Rights of the superuser.</summary>
    public CapabilitiesV1? Capabilities { get; set; }
}

/// <summary>Rights of the superuser.</summary>
public sealed class CapabilitiesV1
{
    /// <summary>Rights that it loses.</summary>
    public List<string> Drop { get; } = [];
}

/// <summary>A variable.</summary>
public sealed class EnvVarV1
{
    /// <summary>Its name.</summary>
    public string Name { get; set; } = null!;

    /// <summary>Its value, in which <c>$(NAME)</c> is an earlier variable.</summary>
    public string Value { get; set; } = null!;

    /// <summary>Where its value stands.</summary>
    public EnvVarSourceV1? ValueFrom { get; set; }
}

/// <summary>Where the value of a variable stands.</summary>
public sealed class EnvVarSourceV1
{
    /// <summary>A field of the pod.</summary>
    public ObjectFieldSelectorV1? FieldRef { get; set; }

    /// <summary>In a Secret.</summary>
    public SecretKeySelectorV1? SecretKeyRef { get; set; }
}

/// <summary>A field of the pod.</summary>
public sealed class ObjectFieldSelectorV1
{
    /// <summary>Which, such as metadata.name.</summary>
    public string FieldPath { get; set; } = null!;
}

/// <summary>A value of a Secret.</summary>
public sealed class SecretKeySelectorV1
{
    /// <summary>The Secret.</summary>
    public string Name { get; set; } = null!;

    /// <summary>Which of its values.</summary>
    public string Key { get; set; } = null!;

    /// <summary>Whether there need not be one.</summary>
    public bool? Optional { get; set; }
}
