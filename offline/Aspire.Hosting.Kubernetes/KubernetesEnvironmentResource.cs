using Aspire.Hosting.ApplicationModel;

namespace Aspire.Hosting.Kubernetes;

/// <summary>A cluster, described by the chart that is published for it.</summary>
public sealed class KubernetesEnvironmentResource : Resource
{
    internal KubernetesEnvironmentResource(string name, string applicationName) : base(name) =>
        ChartName = applicationName.ToLowerInvariant().Replace('_', '-').Replace('.', '-');

    internal bool DashboardEnabled { get; set; } = true;

    internal string ChartName { get; set; }

    internal string ChartVersion { get; set; } = "0.1.0";

    internal string ChartDescription { get; set; } = "Aspire Helm Chart";
}

/// <summary>What stands in Chart.yaml.</summary>
public sealed class HelmChartOptions
{
    private readonly KubernetesEnvironmentResource _environment;

    internal HelmChartOptions(KubernetesEnvironmentResource environment) => _environment = environment;

    /// <summary>Names the chart.</summary>
    public HelmChartOptions WithChartName(string name)
    {
        _environment.ChartName = name;
        return this;
    }

    /// <summary>Gives the chart's version, which is the application's, too.</summary>
    public HelmChartOptions WithChartVersion(string version)
    {
        _environment.ChartVersion = version;
        return this;
    }

    /// <summary>Describes the chart in a sentence.</summary>
    public HelmChartOptions WithChartDescription(string description)
    {
        _environment.ChartDescription = description;
        return this;
    }
}
