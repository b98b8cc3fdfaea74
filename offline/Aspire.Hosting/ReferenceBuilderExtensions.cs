using Aspire.Hosting.ApplicationModel;

namespace Aspire.Hosting;

/// <summary>References from one resource to another: connection strings and service discovery.</summary>
public static class ReferenceBuilderExtensions
{
    /// <summary>Gives the resource <c>ConnectionStrings__NAME</c> and the single properties of <paramref name="source"/>.</summary>
    public static IResourceBuilder<T> WithReference<T>(
        this IResourceBuilder<T> builder, IResourceBuilder<IResourceWithConnectionString> source, string? connectionName = null) where T : IResourceWithEnvironment
    {
        var resource = source.Resource;
        var name = connectionName ?? resource.Name;
        return builder.Refer(resource).WithEnvironment(context =>
        {
            context.EnvironmentVariables[resource.ConnectionStringEnvironmentVariable ?? $"ConnectionStrings__{name}"] = resource;
            foreach (var (property, value) in resource.GetConnectionProperties())
            {
                context.EnvironmentVariables[$"{Variable(name)}_{property.ToUpperInvariant()}"] = value;
            }
        });
    }

    /// <summary>Gives the resource the endpoints of <paramref name="source"/>: <c>services__NAME__ENDPOINT__0</c> and <c>NAME_ENDPOINT</c>.</summary>
    public static IResourceBuilder<T> WithReference<T>(this IResourceBuilder<T> builder, IResourceBuilder<IResourceWithServiceDiscovery> source)
        where T : IResourceWithEnvironment
    {
        var resource = source.Resource;
        return builder.Refer(resource).WithEnvironment(context =>
        {
            foreach (var endpoint in resource.Annotations.OfType<EndpointAnnotation>())
            {
                var reference = new EndpointReference(resource, endpoint.Name);
                context.EnvironmentVariables[$"{Variable(resource.Name)}_{Variable(endpoint.Name)}"] = reference;
                context.EnvironmentVariables[$"services__{resource.Name}__{endpoint.Name}__0"] = reference;
            }
        });
    }

    private static IResourceBuilder<T> Refer<T>(this IResourceBuilder<T> builder, IResource resource) where T : IResource =>
        builder.WithAnnotation(new ResourceRelationshipAnnotation(resource, "Reference"));

    private static string Variable(string name) => name.ToUpperInvariant().Replace('-', '_').Replace('.', '_');
}
