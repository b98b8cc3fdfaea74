namespace Aspire.Hosting.ApplicationModel;

/// <summary>A .NET project of this solution.</summary>
public sealed class ProjectResource(string name)
    : Resource(name), IResourceWithEnvironment, IResourceWithArgs, IResourceWithServiceDiscovery, IResourceWithWaitSupport;

/// <summary>A program on this machine.</summary>
/// <param name="name">Name of the resource.</param>
/// <param name="command">Path of the program, or its name if it is on the PATH.</param>
/// <param name="workingDirectory">Folder in which it runs.</param>
public class ExecutableResource(string name, string command, string workingDirectory)
    : Resource(name), IResourceWithEnvironment, IResourceWithArgs, IResourceWithEndpoints, IResourceWithWaitSupport
{
    internal string Command { get; set; } = command;

    internal string WorkingDirectory { get; set; } = workingDirectory;
}

/// <summary>A container.</summary>
public class ContainerResource(string name)
    : Resource(name), IResourceWithEnvironment, IResourceWithArgs, IResourceWithEndpoints, IResourceWithWaitSupport
{
    /// <summary>The program instead of the image's own.</summary>
    internal string? Entrypoint { get; set; }
}
