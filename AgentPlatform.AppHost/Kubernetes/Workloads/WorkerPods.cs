using System.Globalization;
using AgentPlatform.AppHost.Kubernetes.Broker;
using AgentPlatform.AppHost.Kubernetes.Chart;
using AgentPlatform.AppHost.Kubernetes.Objects;
using AgentPlatform.AppHost.Kubernetes.Pods;
using Aspire.Hosting.Kubernetes;
using Aspire.Hosting.Kubernetes.Resources;

namespace AgentPlatform.AppHost.Kubernetes.Workloads;

/// <summary>
/// The workers of a pool in a cluster: a Deployment without a number of its own, which KEDA scales on the jobs in the pool's queue, with the
/// server that computes the model, if there is one, in each pod.
/// </summary>
internal sealed class WorkerPods(KubernetesChart chart, string name, PoolOptions options, EngineFacts engine)
{
    private const string WeightsFolder = "/weights";

    private readonly string _section = $"pools.{ChartValues.Key(name)}";

    /// <summary>The user of the broker that the workers are.</summary>
    public BrokerUser BrokerUser { get; } = BrokerUser.Worker(name, options.Model ?? name, engine);

    /// <summary>The server beside each worker.</summary>
    public EngineServer? Server { get; set; }

    private string Model => options.Model ?? name;

    private string Version => chart.Values.Text($"{_section}.version", options.Version, $"Version of the model {Model}; the queue is named by it.");

    /// <summary>Tells the gateway the version that values.yaml names.</summary>
    /// <param name="gateway">The gateway's objects.</param>
    /// <param name="entry">Beginning of the variables of this model.</param>
    public void ConfigureGateway(KubernetesResource gateway, string entry) =>
        SetVersion(gateway, $"{entry}Version");

    public void Configure(KubernetesResource service)
    {
        var deployment = (Deployment)service.Workload!;
        deployment.Spec.Replicas = null;
        deployment.Spec.Strategy = PodShape.Replace(options.Surge ?? options.Gpus == 0);
        deployment.Spec.ProgressDeadlineSeconds = (int)options.StartupTimeout.TotalSeconds + 600;
        var pod = PodShape.Restrict(service, name, PodShape.DotnetUser);
        PodPlacement.Place(chart, pod, _section, options.Gpus > 0);
        pod.TerminationGracePeriodSeconds = (long)Math.Ceiling(StopTimes.GracePeriod(options).TotalSeconds);
        ConfigureWorker(service, pod.Containers[0]);

        // Jobs come over the broker; nobody asks a worker.
        service.Service = null;
        if (Server is { } server)
        {
            pod.InitContainers.Add(new ServerContainer(chart, name, options, server).Build(pod));
        }
        else if (options.Gpus > 0)
        {
            Gpus.Take(pod.Containers[0], options);
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
        worker.Resources = PodShape.Need(
            values.Text($"{_section}.cpu", options.Cpu, "Processors that each worker needs."), values.Text($"{_section}.memory", options.Memory, "Memory of each."));
        PodShape.Probe(worker, options.StartupTimeout);
        PodShape.Configure(chart, service, worker, name);
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
            FindWeights(service, worker);
        }
    }

    // Keys of providers and the like: a Secret that somebody has made, whose keys are the variables.
    private void ReferToSecrets(KubernetesResource service, ContainerV1 worker)
    {
        foreach (var variable in service.Secret?.StringData.Keys.Where(key => !key.StartsWith("MESSAGING_", StringComparison.Ordinal) && key != "ConnectionStrings__messaging") ?? [])
        {
            worker.Env.Add(ServerContainer.FromSecret(chart, name, variable));
        }
    }

    private void FindWeights(KubernetesResource service, ContainerV1 worker)
    {
        if (options.Weights == WeightsSource.Image)
        {
            return;
        }

        service.ConfigMap!.Data.Remove("Model__Source");
        service.Workload!.PodTemplate.Spec.Volumes.Add(WeightsVolume.Of("weights", chart, _section, options));
        worker.VolumeMounts.Add(new() { Name = "weights", MountPath = WeightsFolder, ReadOnly = options.Weights == WeightsSource.Download ? null : true });
        if (options.Weights == WeightsSource.Download)
        {
            Set(worker, "Model__Source", chart.Values.Text($"{_section}.weightsAddress", options.WeightsAddress!, "Address of the model's SHA256SUMS."));
            Set(worker, "Model__Sha256", chart.Values.Text($"{_section}.weightsSha256", options.WeightsSha256!, "Digest of that list."));
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
        var policy = new NetworkPolicy($"{name}-network", ComponentLabels.Select(name)).ToNames(chart)
            .To(NetworkPeer.Component(BrokerPods.Component), BrokerAccess.ServerPorts);
        if (OutsidePort() is { } port)
        {
            policy.To(null, port);
        }

        service.AdditionalResources.Add(chart.When(policies, name, policy));
        new QueueScaling(chart, name, options).Configure(service, Version);
    }

    // Where the worker, or the server beside it, reaches out to beyond the release.
    private string? OutsidePort()
    {
        if (options.Weights == WeightsSource.Download)
        {
            return new Uri(options.WeightsAddress!).Port.ToString(CultureInfo.InvariantCulture);
        }

        return Server is { Cache: not null } ? "443"
            : Server is null && engine.CallsOut
                ? chart.Values.Number($"{_section}.endpointPort", 443, "Port of the servers that its workers ask; network policies allow no other.", least: 1, most: 65535)
            : null;
    }

    // In the pod itself, so that another version replaces the pods.
    private void SetVersion(KubernetesResource service, string variable)
    {
        service.ConfigMap!.Data.Remove(variable);
        Set(service.Workload!.PodTemplate.Spec.Containers[0], variable, Version);
    }

    private static void Set(ContainerV1 container, string variable, string value) => container.Env.Add(new() { Name = variable, Value = value });
}
