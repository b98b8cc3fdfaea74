using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Kubernetes.Resources;
using Aspire.Hosting.Pipelines;
using Microsoft.Extensions.DependencyInjection;

namespace Aspire.Hosting.Kubernetes.Publishing;

/// <summary>
/// Writes the chart of an application: Chart.yaml, values.yaml, and templates/RESOURCE/OBJECT.yaml for every object. What is in the
/// folder besides stays.
/// </summary>
internal sealed class ChartPublisher(KubernetesEnvironmentResource environment, PipelineStepContext context)
{
    private readonly string _folder = context.Services.GetRequiredService<IPipelineOutputService>().GetOutputDirectory();
    private readonly ChartYaml _yaml = new();

    private readonly Dictionary<string, Dictionary<string, Dictionary<string, object>>> _values = new()
    {
        [HelmNames.Parameters] = [],
        [HelmNames.Secrets] = [],
        [HelmNames.Config] = [],
    };

    public async Task PublishAsync()
    {
        if (environment.DashboardEnabled)
        {
            throw new DistributedApplicationException(
                "The stand-in for Aspire.Hosting.Kubernetes publishes no dashboard: call WithDashboard(false).");
        }

        foreach (var resource in context.Model.Resources.Where(resource => resource is ProjectResource or ContainerResource))
        {
            var source = new ResourceTranslator(resource, context.ExecutionContext);
            await source.TranslateAsync(context.CancellationToken);
            var objects = new ObjectBuilder(source).Build();
            foreach (var customization in resource.Annotations.OfType<KubernetesServiceCustomizationAnnotation>())
            {
                customization.Configure(objects);
            }

            await WriteTemplatesAsync(resource.Name, objects.All());
            AddValues(HelmNames.Parameters, resource.Name, [.. source.Parameters]);
            AddValues(HelmNames.Config, resource.Name, [.. source.Config, .. source.Embedded.Where(value => !value.Value.IsSecret)]);
            AddValues(HelmNames.Secrets, resource.Name, [.. source.Secrets, .. source.Embedded.Where(value => value.Value.IsSecret)]);
        }

        await WriteAsync("Chart.yaml", _yaml.Serialize(new ChartMetadata(environment)));
        await WriteAsync("values.yaml", _yaml.Serialize(_values));
    }

    private void AddValues(string section, string resource, IEnumerable<KeyValuePair<string, HelmValue>> values)
    {
        var added = new Dictionary<string, object>();
        foreach (var (key, value) in values)
        {
            // What is secret, or made of other values, is given when the chart is installed.
            added[value.ValuesKey ?? HelmNames.Key(key)] = value.IsComposed || value.Parameter is { Secret: true } or { Default: null }
                ? ""
                : value.Parameter?.Default?.GetDefaultValue() ?? value.Value ?? "";
        }

        if (added.Count > 0)
        {
            _values[section][HelmNames.Key(resource)] = added;
        }
    }

    private async Task WriteTemplatesAsync(string resource, IEnumerable<BaseKubernetesResource> objects)
    {
        foreach (var item in objects)
        {
            var name = item.Metadata.Name;
            var file = name.StartsWith($"{resource}-", StringComparison.OrdinalIgnoreCase) ? name[(resource.Length + 1)..] : name;
            await WriteAsync(Path.Combine("templates", resource, $"{file}.yaml"), $"---\n{_yaml.Serialize(item)}");
        }
    }

    private async Task WriteAsync(string file, string text)
    {
        var path = Path.Combine(_folder, file);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        await File.WriteAllTextAsync(path, text, context.CancellationToken);
    }

    private sealed class ChartMetadata(KubernetesEnvironmentResource environment)
    {
        public string ApiVersion { get; } = "v2";

        public string Name { get; } = environment.ChartName;

        public string Version { get; } = environment.ChartVersion;

        public string KubeVersion { get; } = ">= 1.18.0-0";

        public string Description { get; } = environment.ChartDescription;

        public string Type { get; } = "application";

        public IReadOnlyList<string> Keywords { get; } = ["aspire", "kubernetes"];

        public string AppVersion { get; } = environment.ChartVersion;

        public bool Deprecated { get; }
    }
}
