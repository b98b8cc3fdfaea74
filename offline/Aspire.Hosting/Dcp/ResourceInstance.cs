using System.Security.Cryptography;
using Aspire.Hosting.ApplicationModel;

namespace Aspire.Hosting.Dcp;

/// <summary>One process of a resource: the resource itself, or one of its replicas. Its name stays the same when it is started again.</summary>
internal sealed record ResourceInstance(IResource Resource, string Suffix, int Index, int Count)
{
    private const string Letters = "abcdefghjkmnpqrstuvwxyz";

    /// <summary>Name in DCP and in the dashboard, which matches telemetry to it by name and suffix.</summary>
    public string Name => $"{Resource.Name}-{Suffix}";

    /// <summary>Kind of DCP object, as it stands in a path.</summary>
    public string Plural => Resource is ContainerResource ? "containers" : "executables";

    public static IReadOnlyList<ResourceInstance> Of(IResource resource)
    {
        if (resource is not (ProjectResource or ExecutableResource or ContainerResource))
        {
            return [];
        }

        var count = resource.Annotations.OfType<ReplicaAnnotation>().LastOrDefault()?.Replicas ?? 1;
        if (count > 1 && resource.Annotations.OfType<EndpointAnnotation>().FirstOrDefault(endpoint => !endpoint.IsProxied) is { } endpoint)
        {
            throw new DistributedApplicationException($"'{resource.Name}' has {count} replicas and an endpoint '{endpoint.Name}' without proxy: they cannot share its port.");
        }

        return [.. Enumerable.Range(0, count).Select(index => new ResourceInstance(resource, RandomNumberGenerator.GetString(Letters, 8), index, count))];
    }
}
