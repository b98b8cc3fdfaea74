using System.Text.Json.Serialization;

namespace Aspire.Hosting.Dcp;

/// <summary>An object of DCP's API, in the form of a Kubernetes custom resource of the group usvc-dev.developer.microsoft.com/v1.</summary>
internal sealed record DcpObject<TSpec, TStatus>
{
    public string ApiVersion { get; init; } = "usvc-dev.developer.microsoft.com/v1";

    public required string Kind { get; init; }

    public required DcpMetadata Metadata { get; init; }

    public required TSpec Spec { get; init; }

    public TStatus? Status { get; init; }
}

internal sealed record DcpMetadata
{
    public required string Name { get; init; }

    public string? Uid { get; init; }

    public IReadOnlyDictionary<string, string>? Annotations { get; init; }
}

/// <summary>A port for clients. DCP listens on it and hands connections on to the processes that produce the service, unless it is proxyless.</summary>
internal sealed record ServiceSpec(string Address, int? Port, string Protocol, string AddressAllocationMode);

internal sealed record ServiceStatus(string? State, string? EffectiveAddress, int? EffectivePort);

internal sealed record ExecutableSpec
{
    public required string ExecutablePath { get; init; }

    public required string WorkingDirectory { get; init; }

    public IReadOnlyList<string> Args { get; init; } = [];

    public IReadOnlyList<DcpVariable> Env { get; init; } = [];

    public string ExecutionType { get; init; } = "Process";

    public bool? Stop { get; init; }
}

internal sealed record ContainerSpec
{
    public required string Image { get; init; }

    public string? Command { get; init; }

    public IReadOnlyList<VolumeMount> VolumeMounts { get; init; } = [];

    public IReadOnlyList<string> RunArgs { get; init; } = [];

    public IReadOnlyList<string> Args { get; init; } = [];

    public IReadOnlyList<DcpVariable> Env { get; init; } = [];

    public IReadOnlyList<ContainerPort> Ports { get; init; } = [];

    public bool? Stop { get; init; }
}

/// <summary>Type is `bind` or `volume`.</summary>
internal sealed record VolumeMount(string Type, string? Source, string Target, bool ReadOnly);

internal sealed record ContainerPort(int ContainerPortNumber, int? HostPort)
{
    [JsonPropertyName("containerPort")]
    public int ContainerPortNumber { get; init; } = ContainerPortNumber;
}

internal sealed record DcpVariable(string Name, string Value);

/// <summary>State of an executable or a container.</summary>
internal sealed record ProcessStatus
{
    public string? State { get; init; }

    public int? Pid { get; init; }

    public int? ExitCode { get; init; }

    public string? Message { get; init; }

    public DateTimeOffset? StartupTimestamp { get; init; }

    public DateTimeOffset? FinishTimestamp { get; init; }

    /// <summary>The variables with DCP's placeholders filled in.</summary>
    public IReadOnlyList<DcpVariable>? EffectiveEnv { get; init; }
}

/// <summary>Annotation `service-producer`: which service a process serves, on which port; null lets DCP choose one.</summary>
internal sealed record ServiceProducer(string ServiceName, string Address, int? Port);

internal sealed record WatchedChange<T>(string Type, T Object);

internal sealed record ExecutionDocument(string Status, string ShutdownResourceCleanup);

internal sealed record JsonPatch(string Op, string Path, bool Value);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(DcpObject<ServiceSpec, ServiceStatus>))]
[JsonSerializable(typeof(DcpObject<ExecutableSpec, ProcessStatus>))]
[JsonSerializable(typeof(DcpObject<ContainerSpec, ProcessStatus>))]
[JsonSerializable(typeof(WatchedChange<DcpObject<ServiceSpec, ServiceStatus>>))]
[JsonSerializable(typeof(WatchedChange<DcpObject<ExecutableSpec, ProcessStatus>>))]
[JsonSerializable(typeof(WatchedChange<DcpObject<ContainerSpec, ProcessStatus>>))]
[JsonSerializable(typeof(IReadOnlyList<ServiceProducer>))]
[JsonSerializable(typeof(ExecutionDocument))]
[JsonSerializable(typeof(JsonPatch[]))]
internal sealed partial class DcpJson : JsonSerializerContext;
