using System.Globalization;
using AgentPlatform.AppHost.Kubernetes.Broker;
using AgentPlatform.AppHost.Kubernetes.Chart;
using AgentPlatform.AppHost.Kubernetes.Objects;
using AgentPlatform.AppHost.Kubernetes.Pods;
using Aspire.Hosting.Kubernetes;
using Aspire.Hosting.Kubernetes.Resources;

namespace AgentPlatform.AppHost.Kubernetes.Workloads;

/// <summary>
/// The workers of a pool in a cluster: a Deployment without a fixed number of replicas, which KEDA scales on the jobs in the pool's
/// queue. If a server runs the model, each pod has one.
/// </summary>
internal sealed class WorkerPods(KubernetesChart chart, string name, PoolOptions options, EngineFacts engine)
{
    private const string WeightsFolder = "/weights";

    private readonly string _section = $"pools.{ChartValues.Key(name)}";

    /// <summary>The user that the workers connect to the broker as.</summary>
    public BrokerUser BrokerUser { get; } = BrokerUser.Worker(name, options.Model ?? name, engine);

    /// <summary>The server beside each worker.</summary>
    public EngineServer? Server { get; set; }

    private string Model => options.Model ?? name;

    private string Version => chart.Values.Text(
        $"{_section}.version", options.Version, $"Version of the model {Model}; the queue is named by it.");

    /// <summary>Sets the model's version in the gateway's catalogue to the one in values.yaml.</summary>
    /// <param name="gateway">The gateway's objects.</param>
    /// <param name="entry">Prefix of the gateway's variables for this model.</param>
    public void ConfigureGateway(KubernetesResource gateway, string entry) =>
        SetVersion(gateway, $"{entry}Version");

    /// <summary>Configures the objects that Aspire generates for the pool, and adds the others.</summary>
    public void Configure(KubernetesResource service)
    {
        var deployment = (Deployment)service.Workload!;
        deployment.Spec.Replicas = null;
        deployment.Spec.Strategy = PodShape.RollingUpdate(options.Surge ?? options.Gpus == 0);
        deployment.Spec.ProgressDeadlineSeconds = (int)options.StartupTimeout.TotalSeconds + 600;
        var pod = PodShape.Restrict(service, name, PodShape.DotnetUser);
        PodPlacement.Place(chart, pod, _section, options.Gpus > 0);
        pod.TerminationGracePeriodSeconds = (long)Math.Ceiling(StopTimes.GracePeriod(options).TotalSeconds);
        ConfigureWorker(service, pod.Containers[0]);

        // Workers take their jobs from the broker, and need no Service.
        service.Service = null;
        if (Server is { } server)
        {
            pod.InitContainers.Add(new ServerContainer(chart, name, options, server).Build(pod));
        }
        else if (options.Gpus > 0)
        {
            GpuResources.Request(pod.Containers[0], options);
        }

        if (options.DeletionCost)
        {
            new DeletionCostAccess(chart, name).Configure(service, pod.Containers[0]);
        }

        AddObjects(service);
    }

    private void ConfigureWorker(KubernetesResource service, ContainerV1 worker)
    {
        var values = chart.Values;
        worker.Image = chart.Image("worker", "Image of the workers; required, by its digest at best: registry.example/worker@sha256:...");
        worker.Lifecycle = PodShape.PauseBeforeStop(StopTimes.PreStop);
        worker.Resources = PodShape.Resources(
            values.Text($"{_section}.cpu", options.Cpu, "Processors that each worker needs."),
            values.Text($"{_section}.memory", options.Memory, "Memory of each."));
        PodShape.AddProbes(worker, options.StartupTimeout);
        PodShape.AddSettings(chart, service, worker, name);
        ReferToSecrets(service, worker);
        new BrokerAccess(chart).Connect(service, worker, BrokerUser);
        SetVersion(service, "Model__Version");
        Set(worker, "Stopping__DrainTimeout", options.DrainTimeout.ToString("c", CultureInfo.InvariantCulture));
        if (options.Slots is { } slots)
        {
            Set(worker, "Engine__Slots", slots.ToString(CultureInfo.InvariantCulture));
        }

        if (engine.TakesExecutionProvider)
        {
            Set(worker, "Onnx__ExecutionProvider", options.ExecutionProvider);
        }

        if (engine.ReadsWeights)
        {
            AddWeights(service, worker);
        }
    }

    // Secret variables, such as a provider's key, come from an existing Secret with the same keys. The broker's are set by BrokerAccess.
    private void ReferToSecrets(KubernetesResource service, ContainerV1 worker)
    {
        var variables = service.Secret?.StringData.Keys
            .Where(key => !key.StartsWith("MESSAGING_", StringComparison.Ordinal) && key != "ConnectionStrings__messaging");
        foreach (var variable in variables ?? [])
        {
            worker.Env.Add(ServerContainer.FromSecret(chart, name, variable));
        }
    }

    private void AddWeights(KubernetesResource service, ContainerV1 worker)
    {
        if (options.Weights == WeightsSource.Image)
        {
            return;
        }

        var isDownload = options.Weights == WeightsSource.Download;
        service.ConfigMap!.Data.Remove("Model__Source");
        service.Workload!.PodTemplate.Spec.Volumes.Add(WeightsVolume.Of("weights", chart, _section, options));
        worker.VolumeMounts.Add(new() { Name = "weights", MountPath = WeightsFolder, ReadOnly = isDownload ? null : true });
        if (isDownload)
        {
            var values = chart.Values;
            var address = values.Text($"{_section}.weightsAddress", options.WeightsAddress!, "Address of the model's SHA256SUMS.");
            Set(worker, "Model__Source", address);
            Set(worker, "Model__Sha256", values.Text($"{_section}.weightsSha256", options.WeightsSha256!, "Digest of that list."));
            Set(worker, "Model__Cache", WeightsFolder);
        }
        else
        {
            Set(worker, "Model__Source", WeightsFolder);
        }
    }

    private void AddObjects(KubernetesResource service)
    {
        service.AdditionalResources.Add(new PodDisruptionBudget(name));
        var policies = NetworkPolicy.Enabled(chart);
        var policy = new NetworkPolicy($"{name}-network", ComponentLabels.Select(name)).ToDns(chart)
            .To(NetworkPeer.Component(BrokerPods.Component), BrokerAccess.ServerPorts);
        if (OutsidePort() is { } port)
        {
            policy.To(null, port);
        }

        service.AdditionalResources.Add(chart.When(policies, name, policy));
        new QueueScaling(chart, name, options).Configure(service, Version);
    }

    // The port outside of the release that the worker, or the server beside it, connects to; null if there is none.
    private string? OutsidePort()
    {
        if (options.Weights == WeightsSource.Download)
        {
            return new Uri(options.WeightsAddress!).Port.ToString(CultureInfo.InvariantCulture);
        }

        if (Server is not null)
        {
            return Server.Cache is null ? null : "443";
        }

        return !engine.CallsOut ? null : chart.Values.Number(
            $"{_section}.endpointPort",
            443,
            "Port of the servers that its workers ask; network policies allow no other.",
            min: 1,
            max: 65535);
    }

    // In the pod's specification instead of the ConfigMap, so that another version replaces the pods.
    private void SetVersion(KubernetesResource service, string variable)
    {
        service.ConfigMap!.Data.Remove(variable);
        Set(service.Workload!.PodTemplate.Spec.Containers[0], variable, Version);
    }

    private static void Set(ContainerV1 container, string variable, string value) =>
        container.Env.Add(new() { Name = variable, Value = value });
}
