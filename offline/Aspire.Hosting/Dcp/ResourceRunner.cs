using System.Collections.Concurrent;
using System.Collections.Immutable;
using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Eventing;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Logging;

namespace Aspire.Hosting.Dcp;

/// <summary>Starts resources when what they wait for is ready, and starts and stops single processes on command. Thread-safe.</summary>
internal sealed class ResourceRunner(
    DcpClient dcp, IReadOnlyList<ResourceInstance> instances, ProcessObjects objects, ResourceNotificationService notifications,
    DistributedApplicationEventing eventing, IServiceProvider services, TimeProvider time, ILogger logger)
{
    public const string StartCommand = "start";
    public const string StopCommand = "stop";
    public const string RestartCommand = "restart";

    private readonly ConcurrentDictionary<string, SemaphoreSlim> _busy = new(StringComparer.Ordinal);

    /// <summary>Starts a resource with all its replicas; ends when DCP has been told, or with the state FailedToStart.</summary>
    public async Task StartAsync(IResource resource, CancellationToken cancellationToken)
    {
        var own = instances.Where(instance => instance.Resource == resource).ToList();
        var waits = resource.Annotations.OfType<WaitAnnotation>().Select(wait => wait.Resource).Where(HasProcess).Distinct().ToList();
        SetState(own, waits.Count > 0 ? KnownResourceStates.Waiting : KnownResourceStates.Starting);
        try
        {
            foreach (var dependency in waits)
            {
                await notifications.WaitForResourceHealthyAsync(dependency.Name, cancellationToken);
            }

            SetState(own, KnownResourceStates.Starting);
            if (resource is IResourceWithConnectionString)
            {
                await eventing.PublishAsync(new ConnectionStringAvailableEvent(resource, services), cancellationToken);
            }

            await eventing.PublishAsync(new BeforeResourceStartedEvent(resource, services), cancellationToken);
            foreach (var instance in own)
            {
                await CreateAsync(instance, cancellationToken);
            }
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            // Callbacks of the application host may throw anything; the others go on, and the dashboard shows this one as failed.
            Log.FailedToStart(logger, resource.Name, e.Message);
            SetState(own, KnownResourceStates.FailedToStart);
        }
    }

    /// <summary>Runs a command of the dashboard; throws a sentence when it cannot.</summary>
    public async Task ExecuteAsync(string resourceId, string command, CancellationToken cancellationToken)
    {
        var instance = instances.FirstOrDefault(instance => instance.Name == resourceId)
            ?? throw new DistributedApplicationException($"There is no process '{resourceId}'.");
        Log.Command(logger, command, resourceId);
        var busy = _busy.GetOrAdd(resourceId, _ => new SemaphoreSlim(1, 1));
        await busy.WaitAsync(cancellationToken);
        try
        {
            if (command is StopCommand or RestartCommand)
            {
                SetState([instance], KnownResourceStates.Stopping);
                await dcp.StopAsync(instance.Plural, resourceId, cancellationToken);
                await notifications.WaitForResourceAsync(
                    instance.Resource.Name, change => change.ResourceId == resourceId && KnownResourceStates.IsTerminal(change.Snapshot.State?.Text), cancellationToken);
            }

            if (command is StartCommand or RestartCommand)
            {
                // A stopped object cannot start again, so another one takes its name.
                await dcp.DeleteAsync(instance.Plural, resourceId, cancellationToken);
                SetState([instance], KnownResourceStates.Starting);
                await eventing.PublishAsync(new BeforeResourceStartedEvent(instance.Resource, services), cancellationToken);
                await CreateAsync(instance, cancellationToken);
            }
        }
        finally
        {
            busy.Release();
        }
    }

    private bool HasProcess(IResource resource) => instances.Any(instance => instance.Resource == resource);

    private async Task CreateAsync(ResourceInstance instance, CancellationToken cancellationToken)
    {
        if (instance.Resource is ContainerResource)
        {
            var container = await objects.ContainerAsync(instance, cancellationToken);
            Describe(instance, container.Spec.Env, [new("container.image", container.Spec.Image), new("container.args", container.Spec.Args)]);
            await dcp.CreateAsync(instance.Plural, container, DcpJson.Default.DcpObjectContainerSpecProcessStatus, cancellationToken);
            return;
        }

        var executable = await objects.ExecutableAsync(instance, cancellationToken);
        Describe(instance, executable.Spec.Env, [
            .. instance.Resource.Annotations.OfType<IProjectMetadata>().Select(project => new KeyValuePair<string, object?>("project.path", project.ProjectPath)),
            new("executable.path", executable.Spec.ExecutablePath),
            new("executable.workDir", executable.Spec.WorkingDirectory),
            new("executable.args", executable.Spec.Args)]);
        await dcp.CreateAsync(instance.Plural, executable, DcpJson.Default.DcpObjectExecutableSpecProcessStatus, cancellationToken);
    }

    private void Describe(ResourceInstance instance, IReadOnlyList<DcpVariable> environment, ImmutableArray<KeyValuePair<string, object?>> properties) =>
        notifications.Publish(instance.Resource, instance.Name, snapshot => snapshot with
        {
            EnvironmentVariables = [.. environment.Select(variable => KeyValuePair.Create(variable.Name, variable.Value))],
            Properties = properties,
        });

    private void SetState(IReadOnlyList<ResourceInstance> own, string state)
    {
        foreach (var instance in own)
        {
            notifications.Publish(instance.Resource, instance.Name, snapshot => snapshot.ResourceType.Length > 0
                ? snapshot with { State = new ResourceStateSnapshot(state) }
                : New(instance, state));
        }
    }

    private CustomResourceSnapshot New(ResourceInstance instance, string state) => new()
    {
        ResourceType = instance.Resource switch { ProjectResource => "Project", ContainerResource => "Container", _ => "Executable" },
        State = new ResourceStateSnapshot(state),
        CreatedAt = time.GetUtcNow(),
        HealthReports = [.. instance.Resource.Annotations.OfType<HealthCheckAnnotation>()
            .Select(check => new HealthReportSnapshot(check.Key, Status: (HealthStatus?)null, Description: null, ExceptionText: null, LastRunAt: null))],
        Urls = [.. instance.Resource.Annotations.OfType<EndpointAnnotation>().Where(endpoint => endpoint.Allocated is not null)
            .Select(endpoint => new UrlSnapshot(endpoint.Name, $"{endpoint.UriScheme}://{endpoint.Allocated!.Host}:{endpoint.Allocated.Port}", IsInactive: true))],
        IsHidden = instance.Resource is Dashboard.DashboardResource,
    };
}
