using System.Text.Json;
using Aspire.Hosting.ApplicationModel;

namespace Aspire.Hosting.Publishing;

/// <summary>
/// Writes resources in the shape that Aspire gives them, for example
/// <c>"gateway": { "type": "project.v1", "path": "Gateway/Gateway.csproj", "env": { "HTTP_PORTS": "{gateway.bindings.http.targetPort}" } }</c>.
/// </summary>
internal sealed class ManifestWriter(Utf8JsonWriter json, string folder, DistributedApplicationExecutionContext executionContext)
{
    // Resources that values refer to without being part of the model, written after it.
    private readonly List<ReferencePart> _encoded = [];
    private readonly List<ParameterResource> _parameters = [];

    public async Task WriteAsync(DistributedApplicationModel model, CancellationToken cancellationToken)
    {
        json.WriteStartObject();
        json.WriteStartObject("resources");
        foreach (var resource in model.Resources)
        {
            json.WriteStartObject(resource.Name);
            await WriteResourceAsync(resource, cancellationToken);
            json.WriteEndObject();
        }

        foreach (var parameter in _parameters.Where(parameter => !model.Resources.Contains(parameter)))
        {
            json.WriteStartObject(parameter.Name);
            WriteParameter(parameter);
            json.WriteEndObject();
        }

        foreach (var part in _encoded)
        {
            json.WriteStartObject(part.EncodedName);
            json.WriteString("type", "annotated.string");
            json.WriteString("value", part.Manifest.ValueExpression);
            json.WriteString("filter", "uri");
            json.WriteEndObject();
        }

        json.WriteEndObject();
        json.WriteEndObject();
        await json.FlushAsync(cancellationToken);
    }

    private async Task WriteResourceAsync(IResource resource, CancellationToken cancellationToken)
    {
        switch (resource)
        {
            case ProjectResource project:
                json.WriteString("type", "project.v1");
                var path = Path.GetRelativePath(folder, project.Annotations.OfType<IProjectMetadata>().Single().ProjectPath);
                json.WriteString("path", path.Replace('\\', '/'));
                break;
            case ContainerResource container:
                json.WriteString("type", "container.v1");
                WriteConnectionString(container);
                json.WriteString("image", container.Annotations.OfType<ContainerImageAnnotation>().Last().Reference);
                if (container.Entrypoint is { } entrypoint)
                {
                    json.WriteString("entrypoint", entrypoint);
                }

                break;
            case ParameterResource parameter:
                WriteParameter(parameter);
                return;
            default:
                json.WriteString("error", "This resource does not support generation in the manifest.");
                return;
        }

        await WriteArgumentsAsync(resource);
        WriteMounts([.. resource.Annotations.OfType<ContainerMountAnnotation>()]);
        await WriteEnvironmentAsync(resource, cancellationToken);
        WriteBindings(resource);
    }

    private void WriteConnectionString(IResource resource)
    {
        if (resource is IResourceWithConnectionString { ConnectionStringExpression: var expression })
        {
            json.WriteString("connectionString", Text(expression));
        }
    }

    private async Task WriteArgumentsAsync(IResource resource)
    {
        var context = new CommandLineArgsCallbackContext([]);
        foreach (var annotation in resource.Annotations.OfType<CommandLineArgsCallbackAnnotation>())
        {
            await annotation.Callback(context);
        }

        if (context.Args.Count > 0)
        {
            json.WriteStartArray("args");
            foreach (var argument in context.Args)
            {
                json.WriteStringValue(Text(argument));
            }

            json.WriteEndArray();
        }
    }

    private void WriteMounts(IReadOnlyList<ContainerMountAnnotation> mounts)
    {
        WriteMounts("bindMounts", "source", mounts.Where(mount => !mount.IsVolume), source => Path.GetRelativePath(folder, source).Replace('\\', '/'));
        WriteMounts("volumes", "name", mounts.Where(mount => mount.IsVolume), name => name);
    }

    private void WriteMounts(string kind, string sourceName, IEnumerable<ContainerMountAnnotation> mounts, Func<string, string> source)
    {
        if (!mounts.Any())
        {
            return;
        }

        json.WriteStartArray(kind);
        foreach (var mount in mounts)
        {
            json.WriteStartObject();
            if (mount.Source is not null)
            {
                json.WriteString(sourceName, source(mount.Source));
            }

            json.WriteString("target", mount.Target);
            json.WriteBoolean("readOnly", mount.IsReadOnly);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private async Task WriteEnvironmentAsync(IResource resource, CancellationToken cancellationToken)
    {
        var context = new EnvironmentCallbackContext(executionContext, resource, cancellationToken);
        foreach (var annotation in resource.Annotations.OfType<EnvironmentCallbackAnnotation>())
        {
            await annotation.Callback(context);
        }

        if (context.EnvironmentVariables.Count > 0)
        {
            json.WriteStartObject("env");
            foreach (var (name, value) in context.EnvironmentVariables)
            {
                json.WriteString(name, Text(value));
            }

            json.WriteEndObject();
        }
    }

    private void WriteBindings(IResource resource)
    {
        var endpoints = resource.Annotations.OfType<EndpointAnnotation>().ToList();
        if (endpoints.Count == 0)
        {
            return;
        }

        json.WriteStartObject("bindings");
        foreach (var endpoint in endpoints)
        {
            json.WriteStartObject(endpoint.Name);
            json.WriteString("scheme", endpoint.UriScheme);
            json.WriteString("protocol", "tcp");
            json.WriteString("transport", endpoint.Transport);
            if (endpoint.Port is { } port)
            {
                json.WriteNumber("port", port);
            }

            if (endpoint.TargetPort is { } targetPort)
            {
                json.WriteNumber("targetPort", targetPort);
            }

            if (endpoint.IsExternal)
            {
                json.WriteBoolean("external", true);
            }

            json.WriteEndObject();
        }

        json.WriteEndObject();
    }

    private void WriteParameter(ParameterResource parameter)
    {
        json.WriteString("type", "parameter.v0");
        json.WriteString("value", $"{{{parameter.Name}.inputs.value}}");
        json.WriteStartObject("inputs");
        json.WriteStartObject("value");
        json.WriteString("type", "string");
        if (parameter.Secret)
        {
            json.WriteBoolean("secret", true);
        }

        WriteDefault(parameter.Default);
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private void WriteDefault(ParameterDefault? fallback)
    {
        if (fallback is null)
        {
            return;
        }

        json.WriteStartObject("default");
        if (fallback is GenerateParameterDefault generate)
        {
            json.WriteStartObject("generate");
            json.WriteNumber("minLength", generate.MinLength);

            // What is allowed goes without saying.
            foreach (var (name, isAllowed) in new[] { ("lower", generate.Lower), ("upper", generate.Upper), ("numeric", generate.Numeric), ("special", generate.Special) })
            {
                if (!isAllowed)
                {
                    json.WriteBoolean(name, false);
                }
            }

            json.WriteEndObject();
        }
        else
        {
            json.WriteString("value", fallback.GetDefaultValue());
        }

        json.WriteEndObject();
    }

    /// <summary>The value as it stands in the manifest; notes what it refers to.</summary>
    private string Text(object value)
    {
        Note(value);
        return value is IManifestExpressionProvider expression ? expression.ValueExpression : value.ToString() ?? "";
    }

    private void Note(object value)
    {
        if (value is ParameterResource parameter && !_parameters.Contains(parameter))
        {
            _parameters.Add(parameter);
        }

        foreach (var part in (value as ReferenceExpression)?.Parts ?? [])
        {
            Note(part.Value);
            if (part.IsEncodedResource && _encoded.All(other => other.EncodedName != part.EncodedName))
            {
                _encoded.Add(part);
            }
        }
    }
}
