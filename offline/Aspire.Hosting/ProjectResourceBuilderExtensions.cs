using System.Globalization;
using Aspire.Hosting.ApplicationModel;

namespace Aspire.Hosting;

/// <summary>.NET projects of this solution.</summary>
public static class ProjectResourceBuilderExtensions
{
    /// <summary>
    /// Adds a project. The application URLs of its launch profile (the one named like the application host's, else the first) become its
    /// endpoints, the profile's variables its environment.
    /// </summary>
    public static IResourceBuilder<ProjectResource> AddProject<TProject>(this IDistributedApplicationBuilder builder, string name)
        where TProject : IProjectMetadata, new() =>
        builder.AddProject(name, new TProject(), LaunchProfile.Of(new TProject().ProjectPath, builder.Configuration["DOTNET_LAUNCH_PROFILE"]));

    /// <summary>Adds a project with a launch profile by name; null uses none.</summary>
    public static IResourceBuilder<ProjectResource> AddProject<TProject>(this IDistributedApplicationBuilder builder, string name, string? launchProfileName)
        where TProject : IProjectMetadata, new() =>
        builder.AddProject(name, new TProject(), launchProfileName is null ? null : LaunchProfile.Named(new TProject().ProjectPath, launchProfileName));

    /// <summary>Runs the project in several processes behind one port.</summary>
    public static IResourceBuilder<ProjectResource> WithReplicas(this IResourceBuilder<ProjectResource> builder, int replicas)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(replicas);
        return builder.WithAnnotation(new ReplicaAnnotation(replicas), ResourceAnnotationMutationBehavior.Replace);
    }

    private static IResourceBuilder<ProjectResource> AddProject(
        this IDistributedApplicationBuilder builder, string name, IProjectMetadata metadata, LaunchProfile? profile)
    {
        var project = builder.AddResource(new ProjectResource(name)).WithAnnotation(metadata).WithTelemetry();
        if (builder.ExecutionContext.IsPublishMode)
        {
            return project.WithPublishedEndpoints(isWeb: profile is { Urls.Count: > 0 });
        }

        // A process does not write colours into a pipe by itself; the dashboard shows them.
        project.WithEnvironment("DOTNET_SYSTEM_CONSOLE_ALLOW_ANSI_COLOR_REDIRECTION", "true")
            .WithEnvironment("LOGGING__CONSOLE__FORMATTERNAME", "simple");
        foreach (var url in profile?.Urls ?? [])
        {
            var endpoint = new EndpointAnnotation(url.Scheme, NewEndpointName(project.Resource, url.Scheme), url.Port, targetPort: null, isExternal: false, isProxied: true)
            {
                TargetHost = url.Host,
            };
            project.WithAnnotation(endpoint);
        }

        project.WithEnvironment(context => AddUrls(project.Resource, context));
        if (profile is not null)
        {
            project.WithEnvironment(context =>
            {
                context.EnvironmentVariables["DOTNET_LAUNCH_PROFILE"] = profile.Name;
                foreach (var (key, value) in profile.Environment)
                {
                    context.EnvironmentVariables.TryAdd(key, value);
                }
            });
        }

        return project;
    }

    private static void AddUrls(ProjectResource project, EnvironmentCallbackContext context)
    {
        var urls = HttpEndpoints(project).ToList();
        if (urls.Count == 0)
        {
            return;
        }

        var handler = new ReferenceExpression.ExpressionInterpolatedStringHandler(0, urls.Count);
        foreach (var (index, endpoint) in urls.Index())
        {
            handler.AppendLiteral($"{(index == 0 ? "" : ";")}{endpoint.UriScheme}://{endpoint.TargetHost}:");
            handler.AppendFormatted(new EndpointReference(project, endpoint.Name).Property(EndpointProperty.TargetPort));
        }

        context.EnvironmentVariables.TryAdd("ASPNETCORE_URLS", handler.ToExpression());
    }

    private static IResourceBuilder<ProjectResource> WithPublishedEndpoints(this IResourceBuilder<ProjectResource> project, bool isWeb)
    {
        List<EndpointAnnotation> defaults = isWeb ? [Default("http"), Default("https")] : [];
        defaults.ForEach(endpoint => project.WithAnnotation(endpoint));
        return project.WithEnvironment(context =>
        {
            var endpoints = HttpEndpoints(project.Resource).ToList();
            if (endpoints.Count == 0)
            {
                return;
            }

            // The proxy in front ends TLS: the default https endpoint has no port of its own in the container.
            context.EnvironmentVariables.TryAdd("ASPNETCORE_FORWARDEDHEADERS_ENABLED", "true");
            foreach (var scheme in endpoints.Where(endpoint => endpoint.UriScheme != "https" || !defaults.Contains(endpoint)).GroupBy(endpoint => endpoint.UriScheme))
            {
                var handler = new ReferenceExpression.ExpressionInterpolatedStringHandler(0, 1);
                foreach (var (index, endpoint) in scheme.Index())
                {
                    handler.AppendLiteral(index == 0 ? "" : ";");
                    handler.AppendFormatted(new EndpointReference(project.Resource, endpoint.Name).Property(EndpointProperty.TargetPort));
                }

                context.EnvironmentVariables.TryAdd($"{scheme.Key.ToUpperInvariant()}_PORTS", handler.ToExpression());
            }
        });

        static EndpointAnnotation Default(string scheme) => new(scheme, scheme, port: null, targetPort: null, isExternal: false, isProxied: true);
    }

    private static IEnumerable<EndpointAnnotation> HttpEndpoints(ProjectResource project) =>
        project.Annotations.OfType<EndpointAnnotation>().Where(endpoint => endpoint is { UriScheme: "http" or "https", TargetPortEnvironmentVariable: null });

    private static string NewEndpointName(ProjectResource project, string scheme)
    {
        var taken = project.Annotations.OfType<EndpointAnnotation>().Count(endpoint => endpoint.UriScheme == scheme);
        return taken == 0 ? scheme : string.Create(CultureInfo.InvariantCulture, $"{scheme}{taken + 1}");
    }
}
