using System.Globalization;
using Aspire.Hosting.ApplicationModel;

namespace Aspire.Hosting.Kubernetes.Publishing;

/// <summary>An endpoint in the cluster.</summary>
internal sealed record EndpointMapping(string Scheme, string Host, HelmValue Port, string Name);

/// <summary>Turns endpoints, environment and arguments of one resource into values of the chart.</summary>
internal sealed class ResourceTranslator(IResource resource, DistributedApplicationExecutionContext executionContext)
{
    private const int DefaultPort = 8080;

    public IResource Resource => resource;

    public Dictionary<string, HelmValue> Parameters { get; } = [];

    public Dictionary<string, HelmValue> Config { get; } = [];

    public Dictionary<string, HelmValue> Secrets { get; } = [];

    /// <summary>Parameters inside longer values, by their keys in values.yaml.</summary>
    public Dictionary<string, HelmValue> Embedded { get; } = [];

    public List<string> Arguments { get; } = [];

    public IReadOnlyList<EndpointMapping> Endpoints { get; private set; } = [];

    public async Task TranslateAsync(CancellationToken cancellationToken)
    {
        Endpoints = EndpointsOf(resource);
        foreach (var endpoint in Endpoints.Where(endpoint => endpoint.Port.Expression is not null))
        {
            Parameters.TryAdd(endpoint.Port.ValuesKey!, endpoint.Port);
        }

        var environment = new EnvironmentCallbackContext(executionContext, resource, cancellationToken: cancellationToken);
        foreach (var annotation in resource.Annotations.OfType<EnvironmentCallbackAnnotation>())
        {
            await annotation.Callback(environment);
        }

        // Containers in the cluster speak plain HTTP: TLS ends before them.
        foreach (var (key, value) in environment.EnvironmentVariables.Where(variable => !IsHttpsDiscovery(variable.Key, variable.Value)))
        {
            Add(key, Translate(value, isEmbedded: false));
        }

        var arguments = new CommandLineArgsCallbackContext([]);
        foreach (var annotation in resource.Annotations.OfType<CommandLineArgsCallbackAnnotation>())
        {
            await annotation.Callback(arguments);
        }

        Arguments.AddRange(arguments.Args.Select(argument => Translate(argument, isEmbedded: false).ToString()));
    }

    /// <summary>Image of the resource; that of a project is a parameter, since it is yet to be built.</summary>
    public string Image()
    {
        if (resource.TryGetContainerImageName(out var image))
        {
            return image;
        }

        var key = $"{HelmNames.Key(resource.Name)}_image";
        var value = new HelmValue(HelmNames.Expression(HelmNames.Parameters, resource.Name, key), $"{resource.Name}:latest");
        Parameters[key] = value;
        return value.ToScalar();
    }

    private static List<EndpointMapping> EndpointsOf(IResource resource)
    {
        var mappings = new List<EndpointMapping>();
        foreach (var endpoint in resource.Annotations.OfType<EndpointAnnotation>())
        {
            mappings.Add(new EndpointMapping(endpoint.UriScheme, HelmNames.Service(resource.Name), PortOf(endpoint), endpoint.Name));
        }

        return mappings;

        HelmValue PortOf(EndpointAnnotation endpoint)
        {
            if (endpoint.TargetPort is { } port)
            {
                return HelmValue.Literal(port);
            }

            // The default https endpoint has no port of its own in the container.
            if (endpoint.UriScheme == "https" && mappings.FirstOrDefault(mapping => mapping.Scheme == "http") is { } http)
            {
                return http.Port;
            }

            var key = HelmNames.Key($"port_{endpoint.Name}");
            return new HelmValue(HelmNames.Expression(HelmNames.Parameters, resource.Name, key), DefaultPort) { ValuesKey = key };
        }
    }

    private static bool IsHttpsDiscovery(string key, object value) =>
        value is EndpointReference { Scheme: "https" } && key.StartsWith("services__", StringComparison.Ordinal);

    private void Add(string key, HelmValue value)
    {
        if (value.Expression is null)
        {
            var section = HelmValue.ContainsSecret(value.ValueText) ? HelmNames.Secrets : HelmNames.Config;
            value = new HelmValue(HelmNames.Expression(section, resource.Name, key), value.ValueText);
        }

        (value.IsSecret ? Secrets : Config)[key] = value;
    }

    private HelmValue Translate(object value, bool isEmbedded)
    {
        switch (value)
        {
            case string text:
                return HelmValue.Literal(text);
            case EndpointReference endpoint:
                return HelmValue.Literal(Property(endpoint, EndpointProperty.Url, isEmbedded));
            case EndpointReferenceExpression expression:
                return HelmValue.Literal(Property(expression.Endpoint, expression.Property, isEmbedded));
            case ParameterResource parameter:
                var section = parameter.Secret ? HelmNames.Secrets : HelmNames.Config;
                return new HelmValue(HelmNames.Expression(section, resource.Name, parameter.Name),
                    null) { Parameter = parameter, ValuesKey = HelmNames.Key(parameter.Name) };
            case IResourceWithConnectionString connection:
                return Translate(connection.ConnectionStringExpression, isEmbedded);
            case ConnectionStringReference reference:
                return Translate(reference.Resource.ConnectionStringExpression, isEmbedded);
            case ReferenceExpression { Format: "{0}", ValueProviders: [var only] } when !isEmbedded:
                return Translate(only, isEmbedded);
            case ReferenceExpression expression:
                var parts = expression.ValueProviders.Select(part => Translate(part, isEmbedded: true)).ToArray();
                foreach (var part in parts.Where(part => part.Parameter is not null))
                {
                    Embedded[part.ValuesKey!] = part;
                }

                return HelmValue.Literal(string.Format(CultureInfo.InvariantCulture, expression.Format,
                    [.. parts.Select(part => part.Expression ?? part.ValueText)]));
            default:
                throw new DistributedApplicationException($"'{resource.Name}' has a value of the type {value.GetType().Name}, which the " +
                    $"stand-in for Aspire.Hosting.Kubernetes does not publish.");
        }
    }

    private static string Property(EndpointReference reference, EndpointProperty property, bool isEmbedded)
    {
        var (scheme, host, port, _) = EndpointsOf(reference.Resource)
            .First(mapping => string.Equals(mapping.Name, reference.EndpointName, StringComparison.OrdinalIgnoreCase));
        var inText = port.Expression ?? port.ValueText;
        return property switch
        {
            EndpointProperty.Url => $"{scheme}://{host}:{inText}",
            EndpointProperty.Host => host,
            EndpointProperty.HostAndPort => $"{host}:{inText}",
            _ => isEmbedded ? inText! : port.ToScalar(),
        };
    }
}
