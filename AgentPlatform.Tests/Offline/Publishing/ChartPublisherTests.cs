using Aspire.Hosting;
using Aspire.Hosting.Kubernetes.Resources;

namespace AgentPlatform.Tests.Offline.Publishing;

/// <summary>The chart of a sample application host is the one that Aspire's own package makes of it, which lies beside this file.</summary>
public sealed class ChartPublisherTests : IDisposable
{
    private static readonly string _folder = Directory.CreateTempSubdirectory("agentplatform-chart-").FullName;
    private static readonly string _expected = Path.Combine(Repository.Root, "AgentPlatform.Tests", "Offline", "Publishing", "chart");

    [Fact]
    public async Task Chart_OfASample_IsAspiresOwn()
    {
        var profiles = Directory.CreateDirectory(Path.Combine(_folder, "Gateway", "Properties")).FullName;
        await File.WriteAllTextAsync(
            Path.Combine(profiles, "launchSettings.json"),
            """{ "profiles": { "http": { "commandName": "Project", "applicationUrl": "http://localhost:5201" } } }""");
        await WriteProjectAsync("Gateway");
        await WriteProjectAsync("Worker");
        var output = Path.Combine(_folder, "out");
        var builder = DistributedApplication.CreateBuilder(["--operation", "publish", "--step", "publish", "--output-path", output]);
        builder.AddKubernetesEnvironment("k8s")
            .WithDashboard(false)
            .WithHelm(helm => helm.WithChartName("lab").WithChartVersion("1.2.3").WithChartDescription("lab chart"));
        var messaging = builder.AddRabbitMQ("messaging");
        var gateway = builder.AddProject<Gateway>("gateway").WithReference(messaging).WaitFor(messaging).WithExternalHttpEndpoints();
        var worker = builder.AddProject<Worker>("worker").WithReference(messaging).WaitFor(messaging).WithReference(gateway)
            .WithReplicas(2);
        Customize(gateway, worker);

        await builder.Build().RunAsync();

        var expected = Files(_expected);
        Assert.Equal(expected.Keys.Order(StringComparer.Ordinal), Files(output).Keys.Order(StringComparer.Ordinal));
        foreach (var (file, text) in Files(output))
        {
            Assert.True(expected[file] == text, $"{file}:\n{text}");
        }
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    // Aspire wants a project's file to exist.
    private static async Task WriteProjectAsync(string name)
    {
        var folder = Directory.CreateDirectory(Path.Combine(_folder, name)).FullName;
        await File.WriteAllTextAsync(Path.Combine(folder, $"{name}.csproj"), "<Project Sdk=\"Microsoft.NET.Sdk.Web\" />");
    }

    private static Dictionary<string, string> Files(string folder) => Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories)
        .ToDictionary(path => Path.GetRelativePath(folder, path), File.ReadAllText);

    // What the sample's own K8s.cs asks for.
    private static void Customize(
        Aspire.Hosting.ApplicationModel.IResourceBuilder<Aspire.Hosting.ApplicationModel.ProjectResource> gateway,
        Aspire.Hosting.ApplicationModel.IResourceBuilder<Aspire.Hosting.ApplicationModel.ProjectResource> worker)
    {
        const string Port = "{{ .Values.parameters.gateway.port_http | int }}";
        gateway.PublishAsKubernetesService(service =>
        {
            var deployment = (Deployment)service.Workload!;
            deployment.Spec.Replicas = 2;
            deployment.Spec.Strategy.RollingUpdate = new() { MaxSurge = 1, MaxUnavailable = 0 };
            deployment.PodTemplate.Spec.TerminationGracePeriodSeconds = 45;
            var container = deployment.PodTemplate.Spec.Containers[0];
            container.Lifecycle = new()
            {
                PreStop = new() { Sleep = new() { Seconds = 5 }, Exec = null!, HttpGet = null!, TcpSocket = null! },
            };
            container.LivenessProbe = Probe("/", Port, period: 10, failures: 3);
            container.ReadinessProbe = Probe("/health", Port, period: 5, failures: 3);
            container.StartupProbe = Probe("/health?s=1", Port, period: 2, failures: 30);
            service.AdditionalResources.Add(Budget("gateway-pdb", "gateway", "minAvailable", 1));
        });
        worker.PublishAsKubernetesService(service =>
        {
            var deployment = (Deployment)service.Workload!;
            deployment.Spec.Replicas = null;
            deployment.Spec.MinReadySeconds = 10;
            deployment.Spec.ProgressDeadlineSeconds = 1800;
            deployment.Spec.Strategy.RollingUpdate = new() { MaxSurge = 0, MaxUnavailable = 1 };
            CustomizePod(deployment.PodTemplate.Spec);
            var claim = new PersistentVolumeClaim
            {
                Metadata = { Name = "model-weights", Annotations = { ["helm.sh/resource-policy"] = "keep" } },
            };
            claim.Spec.AccessModes.Add("ReadOnlyMany");
            claim.Spec.StorageClassName = "fast";
            claim.Spec.Resources.Requests["storage"] = "100Gi";
            service.AdditionalResources.Add(claim);
            service.AdditionalResources.Add(Authentication());
            service.AdditionalResources.Add(Scaling());
            service.AdditionalResources.Add(Budget("worker-pdb", "worker", "maxUnavailable", "50%"));
        });
    }

    private static void CustomizePod(PodSpecV1 pod)
    {
        pod.TerminationGracePeriodSeconds = 120;
        pod.NodeSelector["nvidia.com/gpu.present"] = "true";
        pod.Tolerations.Add(new() { Key = "nvidia.com/gpu", Operator = "Exists", Effect = "NoSchedule" });
        pod.Volumes.Add(new() { Name = "weights", PersistentVolumeClaim = new() { ClaimName = "model-weights", ReadOnly = true } });
        pod.Volumes.Add(new() { Name = "shm", EmptyDir = new() { Medium = "Memory", SizeLimit = "8Gi" } });
        var container = pod.Containers[0];
        container.VolumeMounts.Add(new() { Name = "weights", MountPath = "/models", ReadOnly = true });
        container.VolumeMounts.Add(new() { Name = "shm", MountPath = "/dev/shm" });
        container.Resources = new()
        {
            Requests = { ["cpu"] = "2", ["memory"] = "8Gi", ["nvidia.com/gpu"] = "1" },
            Limits = { ["memory"] = "16Gi", ["nvidia.com/gpu"] = "1" },
        };
        container.StartupProbe = new()
        {
            Exec = new() { Command = { "test", "-f", "/tmp/ready" } },
            FailureThreshold = 120,
            PeriodSeconds = 5,
        };
        container.ReadinessProbe = new() { HttpGet = new() { Path = "/ready", Port = 8080, Scheme = "HTTP" }, PeriodSeconds = 5 };
        container.LivenessProbe = new() { TcpSocket = new() { Port = 8080 }, PeriodSeconds = 20 };
        container.Lifecycle = new()
        {
            PreStop = new()
            {
                Exec = new() { Command = { "/bin/sh", "-c", "sleep 10" } },
                Sleep = null!,
                HttpGet = null!,
                TcpSocket = null!,
            },
        };
    }

    private static ProbeV1 Probe(string path, string port, int period, int failures) => new()
    {
        HttpGet = new() { Scheme = "HTTP", Path = path, Port = port },
        FailureThreshold = failures,
        SuccessThreshold = 1,
        InitialDelaySeconds = 5,
        PeriodSeconds = period,
        TimeoutSeconds = 1,
    };

    private static Custom Budget(string name, string component, string rule, object value) => new("policy/v1", "PodDisruptionBudget", name)
    {
        Spec =
        {
            [rule] = value,
            ["selector"] = Map("matchLabels", new Dictionary<string, object>
            {
                ["app.kubernetes.io/name"] = "{{ .Chart.Name }}",
                ["app.kubernetes.io/component"] = component,
                ["app.kubernetes.io/instance"] = "{{ .Release.Name }}",
            }),
        },
    };

    private static Custom Authentication() => new("keda.sh/v1alpha1", "TriggerAuthentication", "worker-rabbit")
    {
        Spec =
        {
            ["secretTargetRef"] = new[]
            {
                new Dictionary<string, object>
                {
                    ["parameter"] = "host",
                    ["name"] = "worker-secrets",
                    ["key"] = "ConnectionStrings__messaging",
                },
            },
        },
    };

    private static Custom Scaling() => new("keda.sh/v1alpha1", "ScaledObject", "worker")
    {
        Spec =
        {
            ["scaleTargetRef"] = Map("name", "worker-deployment"),
            ["pollingInterval"] = 5,
            ["cooldownPeriod"] = 300,
            ["minReplicaCount"] = 0,
            ["maxReplicaCount"] = 4,
            ["advanced"] = Map("horizontalPodAutoscalerConfig", Map("behavior", Map("scaleDown", Map("stabilizationWindowSeconds", 300)))),
            ["triggers"] = new[]
            {
                new Dictionary<string, object>
                {
                    ["type"] = "rabbitmq",
                    ["metadata"] = new Dictionary<string, object>
                    {
                        ["queueName"] = "jobs",
                        ["mode"] = "QueueLength",
                        ["value"] = "5",
                        ["activationValue"] = "0",
                    },
                    ["authenticationRef"] = Map("name", "worker-rabbit"),
                },
            },
        },
    };

    private static Dictionary<string, object> Map(string key, object value) => new() { [key] = value };

    /// <summary>A kind that Aspire has no type for.</summary>
    private sealed class Custom : BaseKubernetesResource
    {
        public Custom(string apiVersion, string kind, string name) : base(apiVersion, kind) => Metadata.Name = name;

        public Dictionary<string, object> Spec { get; } = [];
    }

    private sealed class Gateway : IProjectMetadata
    {
        public string ProjectPath => Path.Combine(_folder, "Gateway", "Gateway.csproj");
    }

    private sealed class Worker : IProjectMetadata
    {
        public string ProjectPath => Path.Combine(_folder, "Worker", "Worker.csproj");
    }
}
