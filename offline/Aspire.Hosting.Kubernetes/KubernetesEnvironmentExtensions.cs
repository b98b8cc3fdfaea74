using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Kubernetes;
using Aspire.Hosting.Kubernetes.Publishing;
using Aspire.Hosting.Pipelines;

namespace Aspire.Hosting;

/// <summary>Kubernetes as the place that an application is published to.</summary>
public static class KubernetesEnvironmentExtensions
{
    /// <summary>Adds an environment, whose Helm chart the step <c>publish-NAME</c> writes.</summary>
    public static IResourceBuilder<KubernetesEnvironmentResource> AddKubernetesEnvironment(
        this IDistributedApplicationBuilder builder, string name)
    {
        var environment = new KubernetesEnvironmentResource(name, builder.Environment.ApplicationName);
        if (builder.ExecutionContext.IsRunMode)
        {
            return builder.CreateResourceBuilder(environment);
        }

        builder.Pipeline.AddStep($"publish-{name}", context => new ChartPublisher(environment, context).PublishAsync(),
            requiredBy: WellKnownPipelineSteps.Publish);
        return builder.AddResource(environment);
    }

    /// <summary>Whether the dashboard is published, too. The stand-in has none to publish.</summary>
    public static IResourceBuilder<KubernetesEnvironmentResource> WithDashboard(
        this IResourceBuilder<KubernetesEnvironmentResource> builder, bool enabled = true)
    {
        builder.Resource.DashboardEnabled = enabled;
        return builder;
    }

    /// <summary>Describes the chart.</summary>
    public static IResourceBuilder<KubernetesEnvironmentResource> WithHelm(
        this IResourceBuilder<KubernetesEnvironmentResource> builder, Action<HelmChartOptions>? configure = null)
    {
        configure?.Invoke(new HelmChartOptions(builder.Resource));
        return builder;
    }
}

/// <summary>What is published to Kubernetes.</summary>
public static class KubernetesServiceExtensions
{
    /// <summary>Changes the objects of a resource before they are written.</summary>
    public static IResourceBuilder<T> PublishAsKubernetesService<T>(
        this IResourceBuilder<T> builder, Action<KubernetesResource> configure) where T : IResource =>
        builder.WithAnnotation(new KubernetesServiceCustomizationAnnotation(configure));
}

internal sealed record KubernetesServiceCustomizationAnnotation(Action<KubernetesResource> Configure) : IResourceAnnotation;
