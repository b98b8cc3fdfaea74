using System.Globalization;
using System.Reflection;
using System.Text.Json;
using Aspire.Hosting.ApplicationModel;

namespace Aspire.Hosting.Dcp;

/// <summary>Makes the DCP object of a process: its program, arguments, environment and the services that it serves.</summary>
internal sealed class ProcessObjects(DistributedApplicationExecutionContext executionContext)
{
    public async Task<DcpObject<ExecutableSpec, ProcessStatus>> ExecutableAsync(ResourceInstance instance, CancellationToken cancellationToken)
    {
        var (program, directory, arguments) = instance.Resource switch
        {
            ExecutableResource executable => (executable.Command, executable.WorkingDirectory, (string[])[]),
            ProjectResource project => Project(project),
            _ => throw new InvalidOperationException($"'{instance.Resource.Name}' is not an executable."),
        };
        return new DcpObject<ExecutableSpec, ProcessStatus>
        {
            Kind = "Executable",
            Metadata = Metadata(instance),
            Spec = new ExecutableSpec
            {
                ExecutablePath = program,
                WorkingDirectory = directory,
                Args = [.. arguments, .. await ArgumentsAsync(instance.Resource, cancellationToken)],
                Env = await EnvironmentAsync(instance.Resource, cancellationToken),
            },
        };
    }

    public async Task<DcpObject<ContainerSpec, ProcessStatus>> ContainerAsync(ResourceInstance instance, CancellationToken cancellationToken) => new()
    {
        Kind = "Container",
        Metadata = Metadata(instance),
        Spec = new ContainerSpec
        {
            Image = instance.Resource.Annotations.OfType<ContainerImageAnnotation>().Last().Reference,
            Command = ((ContainerResource)instance.Resource).Entrypoint,
            VolumeMounts = [.. instance.Resource.Annotations.OfType<ContainerMountAnnotation>()
                .Select(mount => new VolumeMount(mount.IsVolume ? "volume" : "bind", mount.Source, mount.Target, mount.IsReadOnly))],
            RunArgs = [.. instance.Resource.Annotations.OfType<ContainerRuntimeArgsAnnotation>().SelectMany(annotation => annotation.Args)],
            Args = await ArgumentsAsync(instance.Resource, cancellationToken),
            Env = await EnvironmentAsync(instance.Resource, cancellationToken),
            Ports = [.. instance.Resource.Annotations.OfType<EndpointAnnotation>().Where(endpoint => endpoint.TargetPort is not null)
                .Select(endpoint => new ContainerPort(endpoint.TargetPort!.Value, endpoint.IsProxied ? null : endpoint.Port))],
        },
    };

    /// <summary>The built assembly rather than `dotnet run`: it starts at once, and signals reach it without a process between.</summary>
    private static (string Program, string Directory, string[] Arguments) Project(ProjectResource project)
    {
        var path = project.Annotations.OfType<IProjectMetadata>().Last().ProjectPath;
        var output = Assembly.GetEntryAssembly()?.GetCustomAttributes<AssemblyMetadataAttribute>().FirstOrDefault(m => m.Key == $"aspireprojectoutput:{path}")?.Value
            ?? throw new InvalidOperationException($"The build of the application host does not know the output of '{path}'.");
        return ("dotnet", Path.GetDirectoryName(path)!, [output]);
    }

    private static DcpMetadata Metadata(ResourceInstance instance)
    {
        var annotations = new Dictionary<string, string>
        {
            ["resource-name"] = instance.Resource.Name,
            ["otel-service-name"] = instance.Resource.Name,
            ["otel-service-instance-id"] = instance.Suffix,
            ["resource-replica-count"] = instance.Count.ToString(CultureInfo.InvariantCulture),
            ["resource-replica-index"] = instance.Index.ToString(CultureInfo.InvariantCulture),
        };
        IReadOnlyList<ServiceProducer> produced = [.. instance.Resource.Annotations.OfType<EndpointAnnotation>().Select(endpoint =>
            new ServiceProducer(EndpointAllocator.ServiceName(instance.Resource, endpoint), EndpointAllocator.BindAddress(endpoint), endpoint.TargetPort))];
        if (produced.Count > 0)
        {
            annotations["service-producer"] = JsonSerializer.Serialize(produced, DcpJson.Default.IReadOnlyListServiceProducer);
        }

        return new DcpMetadata { Name = instance.Name, Annotations = annotations };
    }

    private async Task<IReadOnlyList<DcpVariable>> EnvironmentAsync(IResource resource, CancellationToken cancellationToken)
    {
        var context = new EnvironmentCallbackContext(executionContext, resource, cancellationToken);
        foreach (var annotation in resource.Annotations.OfType<EnvironmentCallbackAnnotation>().ToList())
        {
            await annotation.Callback(context);
        }

        var variables = new List<DcpVariable>();
        foreach (var (name, value) in context.EnvironmentVariables)
        {
            variables.Add(new DcpVariable(name, await ValueAsync(value, cancellationToken)));
        }

        return variables;
    }

    private static async Task<IReadOnlyList<string>> ArgumentsAsync(IResource resource, CancellationToken cancellationToken)
    {
        var context = new CommandLineArgsCallbackContext([]);
        foreach (var annotation in resource.Annotations.OfType<CommandLineArgsCallbackAnnotation>().ToList())
        {
            await annotation.Callback(context);
        }

        var arguments = new List<string>();
        foreach (var value in context.Args)
        {
            arguments.Add(await ValueAsync(value, cancellationToken));
        }

        return arguments;
    }

    private static async ValueTask<string> ValueAsync(object value, CancellationToken cancellationToken) => value switch
    {
        string text => text,
        IValueProvider provider => await provider.GetValueAsync(cancellationToken) ?? "",
        IResourceBuilder<IResource> { Resource: IValueProvider provider } => await provider.GetValueAsync(cancellationToken) ?? "",
        _ => Convert.ToString(value, CultureInfo.InvariantCulture) ?? "",
    };
}
