namespace Aspire.Hosting.ApplicationModel;

/// <summary>The resources of an application.</summary>
public sealed class DistributedApplicationModel
{
    internal DistributedApplicationModel(IReadOnlyList<IResource> resources) => Resources = resources;

    /// <summary>In the order in which they were added.</summary>
    public IReadOnlyList<IResource> Resources { get; }
}
