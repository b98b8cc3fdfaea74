using System.Globalization;

namespace Aspire.Hosting.ApplicationModel;

/// <summary>An endpoint by name; the endpoint may be added later. Its own value is the URL.</summary>
public sealed class EndpointReference(IResourceWithEndpoints owner, string endpointName) : IValueProvider, IManifestExpressionProvider
{
    /// <summary>The resource that has the endpoint.</summary>
    internal IResourceWithEndpoints Resource { get; } = owner;

    /// <summary>Name of the endpoint.</summary>
    internal string EndpointName { get; } = endpointName;

    /// <summary>Scheme of its URL.</summary>
    internal string Scheme => Annotation.UriScheme;

    /// <summary>URL for clients on this machine; throws before the endpoint is allocated.</summary>
    public string Url => Annotation.Allocated is { } at
        ? $"{Scheme}://{at.Host}:{at.Port}"
        : throw new InvalidOperationException($"The endpoint '{EndpointName}' of '{Resource.Name}' is not allocated yet.");

    internal EndpointAnnotation Annotation =>
        Find() ?? throw new InvalidOperationException($"The resource '{Resource.Name}' has no endpoint '{EndpointName}'.");

    /// <summary>One property of the endpoint as a value.</summary>
    public EndpointReferenceExpression Property(EndpointProperty property) => new(this, property);

    /// <inheritdoc />
    public ValueTask<string?> GetValueAsync(CancellationToken cancellationToken = default) => Property(EndpointProperty.Url).GetValueAsync(cancellationToken);

    /// <inheritdoc />
    public string ValueExpression => Property(EndpointProperty.Url).ValueExpression;

    private EndpointAnnotation? Find() =>
        Resource.Annotations.OfType<EndpointAnnotation>().FirstOrDefault(e => string.Equals(e.Name, EndpointName, StringComparison.OrdinalIgnoreCase));
}

/// <summary>Properties of an endpoint.</summary>
public enum EndpointProperty
{
    /// <summary>scheme://host:port</summary>
    Url,

    /// <summary>Host for clients.</summary>
    Host,

    /// <summary>Port for clients.</summary>
    Port,

    /// <summary>Port that the process listens on.</summary>
    TargetPort,

    /// <summary>host:port</summary>
    HostAndPort,
}

/// <summary>One property of an endpoint as a value.</summary>
public sealed class EndpointReferenceExpression(EndpointReference endpoint, EndpointProperty property) : IValueProvider, IManifestExpressionProvider
{
    internal EndpointReference Endpoint => endpoint;

    internal EndpointProperty Property => property;

    /// <inheritdoc />
    public string ValueExpression => property switch
    {
        EndpointProperty.HostAndPort => $"{Binding("host")}:{Binding("port")}",
        EndpointProperty.TargetPort => Binding("targetPort"),
        EndpointProperty.Url => Binding("url"),
        EndpointProperty.Host => Binding("host"),
        _ => Binding("port"),
    };

    /// <inheritdoc />
    public async ValueTask<string?> GetValueAsync(CancellationToken cancellationToken = default)
    {
        var at = await endpoint.Annotation.GetAllocatedAsync(cancellationToken);
        return property switch
        {
            EndpointProperty.Host => at.Host,
            EndpointProperty.Port => at.Port.ToString(CultureInfo.InvariantCulture),
            EndpointProperty.TargetPort => at.TargetPortExpression ?? at.Port.ToString(CultureInfo.InvariantCulture),
            EndpointProperty.HostAndPort => $"{at.Host}:{at.Port}",
            _ => $"{endpoint.Scheme}://{at.Host}:{at.Port}",
        };
    }

    private string Binding(string name) => $"{{{endpoint.Resource.Name}.bindings.{endpoint.EndpointName}.{name}}}";
}
