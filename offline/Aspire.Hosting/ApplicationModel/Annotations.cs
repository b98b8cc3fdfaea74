namespace Aspire.Hosting.ApplicationModel;

/// <summary>How many processes run a project.</summary>
internal sealed record ReplicaAnnotation(int Replicas) : IResourceAnnotation;

/// <summary>Another resource that must be ready before this one starts.</summary>
internal sealed record WaitAnnotation(IResource Resource) : IResourceAnnotation;

/// <summary>A health check of the application host that tells the health of the resource.</summary>
internal sealed record HealthCheckAnnotation(string Key) : IResourceAnnotation;

/// <summary>Another resource that this one uses; shown in the dashboard.</summary>
internal sealed record ResourceRelationshipAnnotation(IResource Resource, string Type) : IResourceAnnotation;

/// <summary>Image of a container.</summary>
internal sealed record ContainerImageAnnotation(string? Registry, string Image, string Tag) : IResourceAnnotation
{
    public string Reference => Registry is null ? $"{Image}:{Tag}" : $"{Registry}/{Image}:{Tag}";
}

/// <summary>What a container sees of the outside.</summary>
/// <param name="Source">A path of this machine, or the name of a volume; null for a volume without a name.</param>
/// <param name="Target">Path in the container.</param>
/// <param name="IsVolume">Whether it is a volume.</param>
/// <param name="IsReadOnly">Whether the container may only read it.</param>
internal sealed record ContainerMountAnnotation(string? Source, string Target, bool IsVolume, bool IsReadOnly) : IResourceAnnotation;

/// <summary>Arguments of the container engine's own command.</summary>
internal sealed record ContainerRuntimeArgsAnnotation(IReadOnlyList<string> Args) : IResourceAnnotation;

/// <summary>Adds environment variables when the resource starts, and when it is published.</summary>
/// <param name="Callback">Fills the variables.</param>
internal sealed record EnvironmentCallbackAnnotation(Func<EnvironmentCallbackContext, Task> Callback) : IResourceAnnotation;

/// <summary>What an environment callback gets.</summary>
public sealed class EnvironmentCallbackContext(DistributedApplicationExecutionContext executionContext, IResource resource, CancellationToken cancellationToken = default)
{
    /// <summary>Name to value: a string, or what gives one (<see cref="IValueProvider"/>).</summary>
    public Dictionary<string, object> EnvironmentVariables { get; } = [];

    /// <summary>Whether the application runs or is published.</summary>
    internal DistributedApplicationExecutionContext ExecutionContext { get; } = executionContext;

    /// <summary>The resource that gets the variables.</summary>
    internal IResource Resource { get; } = resource;

    /// <summary>Cancelled when the application stops.</summary>
    internal CancellationToken CancellationToken { get; } = cancellationToken;
}

/// <summary>Adds arguments when the resource starts, and when it is published.</summary>
/// <param name="Callback">Fills the arguments.</param>
internal sealed record CommandLineArgsCallbackAnnotation(Func<CommandLineArgsCallbackContext, Task> Callback) : IResourceAnnotation;

/// <summary>What an argument callback gets.</summary>
internal sealed class CommandLineArgsCallbackContext(IList<object> args)
{
    /// <summary>The arguments: strings, or what gives them (<see cref="IValueProvider"/>).</summary>
    public IList<object> Args { get; } = args;
}
