using System.Text.RegularExpressions;
using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Kubernetes.Resources;

namespace Aspire.Hosting.Kubernetes.Publishing;

/// <summary>Makes the objects of a translated resource, with Aspire's names and defaults.</summary>
internal sealed partial class ObjectBuilder(ResourceTranslator source)
{
    private readonly string _name = source.Resource.Name;

    public KubernetesResource Build() => new(_name, Labels())
    {
        Workload = BuildWorkload(),
        ConfigMap = BuildConfigMap(),
        Secret = BuildSecret(),
        Service = BuildService(),
    };

    // A new one for each object: YAML would write a shared one as a reference.
    private Dictionary<string, string> Labels() => new()
    {
        ["app.kubernetes.io/name"] = "{{ .Chart.Name }}",
        ["app.kubernetes.io/component"] = _name,
        ["app.kubernetes.io/instance"] = "{{ .Release.Name }}",
    };

    private ObjectMetaV1 Metadata(string name) => new() { Name = name, Labels = Labels() };

    private LabelSelectorV1 Selector()
    {
        var selector = new LabelSelectorV1();
        foreach (var (key, value) in Labels())
        {
            selector.MatchLabels[key] = value;
        }

        return selector;
    }

    // What has a connection string is taken to have a state.
    private Workload BuildWorkload() => source.Resource is IResourceWithConnectionString
        ? new StatefulSet
        {
            Metadata = Metadata($"{_name.ToLowerInvariant()}-statefulset"),
            Spec = { Template = BuildPod(), Selector = Selector(), Replicas = source.Resource.GetReplicaCount() },
        }
        : new Deployment
        {
            Metadata = Metadata($"{_name.ToLowerInvariant()}-deployment"),
            Spec =
            {
                Template = BuildPod(),
                Selector = Selector(),
                Replicas = source.Resource.GetReplicaCount(),
                RevisionHistoryLimit = 3,
                Strategy = new() { RollingUpdate = new() { MaxSurge = 1, MaxUnavailable = 1 }, Type = "RollingUpdate" },
            },
        };

    private PodTemplateSpecV1 BuildPod()
    {
        if (source.Resource.Annotations.OfType<ContainerMountAnnotation>().Any())
        {
            throw new DistributedApplicationException(
                $"'{_name}' has a mount, which the stand-in for Aspire.Hosting.Kubernetes does not publish.");
        }

        var container = new ContainerV1 { Name = _name, Image = source.Image() };
        if (source.Resource is ContainerResource { Entrypoint: { } entrypoint })
        {
            container.Command.Add(entrypoint);
        }

        container.Args.AddRange(source.Arguments);
        if (source.Config.Count > 0)
        {
            container.EnvFrom.Add(new() { ConfigMapRef = new() { Name = HelmNames.ConfigMap(_name) } });
        }

        if (source.Secrets.Count > 0)
        {
            container.EnvFrom.Add(new() { SecretRef = new() { Name = HelmNames.Secret(_name) } });
        }

        container.Ports.AddRange(Ports().Select(endpoint =>
            new ContainerPortV1 { Name = endpoint.Name, Protocol = "TCP", ContainerPort = endpoint.Port.ToScalar() }));
        return new PodTemplateSpecV1 { Metadata = new() { Labels = Labels() }, Spec = { Containers = { container } } };
    }

    private ConfigMap? BuildConfigMap()
    {
        if (source.Config.Count == 0)
        {
            return null;
        }

        var map = new ConfigMap { Metadata = Metadata(HelmNames.ConfigMap(_name)) };
        foreach (var (key, value) in source.Config)
        {
            // The values of a ConfigMap are texts.
            map.Data[key] = NumberPipe().Replace(value.IsComposed ? value.ValueText! : value.Expression!, "$1 | toString }}");
        }

        return map;
    }

    private Secret? BuildSecret()
    {
        if (source.Secrets.Count == 0)
        {
            return null;
        }

        var secret = new Secret { Metadata = Metadata(HelmNames.Secret(_name)), Type = "Opaque" };
        foreach (var (key, value) in source.Secrets)
        {
            secret.StringData[key] = value.IsComposed ? value.ValueText! : value.Expression!;
        }

        return secret;
    }

    private Service? BuildService()
    {
        if (source.Endpoints.Count == 0)
        {
            return null;
        }

        var service = new Service { Metadata = Metadata(HelmNames.Service(_name)), Spec = { Type = "ClusterIP", Selector = Labels() } };
        service.Spec.Ports.AddRange(Ports().Select(endpoint => new ServicePortV1
        {
            Name = endpoint.Name,
            Protocol = "TCP",
            Port = endpoint.Port.ToScalar()!,
            TargetPort = endpoint.Port.ToScalar()!,
        }));
        return service;
    }

    private IEnumerable<EndpointMapping> Ports() => source.Endpoints.DistinctBy(endpoint => endpoint.Port.ToScalar());

    [GeneratedRegex(@"(\{\{[^{}]*\|\s*(?:int|int64|float64))\s*\}\}")]
    private static partial Regex NumberPipe();
}
