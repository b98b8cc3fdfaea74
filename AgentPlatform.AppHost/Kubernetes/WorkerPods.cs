using System.Globalization;
using System.Text.RegularExpressions;
using AgentPlatform.AppHost.Models;
using Aspire.Hosting.Kubernetes;
using Aspire.Hosting.Kubernetes.Resources;

namespace AgentPlatform.AppHost.Kubernetes;

/// <summary>
/// The workers of a pool in a cluster: a Deployment without a number of its own, which KEDA scales on the jobs in the pool's queue, with the
/// server that computes the model, if there is one, in each pod.
/// </summary>
internal sealed class WorkerPods(KubernetesChart chart, string name, PoolOptions options, EngineFacts engine)
{
    private const string WeightsFolder = "/weights";

    private readonly string _section = $"pools.{ChartValues.Key(name)}";
    private readonly BrokerUser _user = AddUser(chart, name, options, engine);

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
        pod.TerminationGracePeriodSeconds = (long)Math.Ceiling(PoolRules.GracePeriod(options).TotalSeconds);
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
            new DeletionCost(chart, name).Configure(service, pod.Containers[0]);
        }

        AddObjects(service);
    }

    private void ConfigureWorker(KubernetesResource service, ContainerV1 worker)
    {
        var values = chart.Values;
        worker.Image = chart.Image("worker", "Image of the workers; required, by its digest at best: registry.example/worker@sha256:...");
        worker.Lifecycle = PodShape.PauseBeforeStop(PoolRules.PreStop);
        worker.Resources = PodShape.Need(
            values.Text($"{_section}.cpu", options.Cpu, "Processors that each worker needs."), values.Text($"{_section}.memory", options.Memory, "Memory of each."));
        PodShape.Probe(worker, options.StartupTimeout);
        PodShape.Configure(chart, service, worker, name);
        ReferToSecrets(service, worker);
        new BrokerAccess(chart).Connect(service, worker, _user);
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
        var access = new BrokerAccess(chart);
        service.AdditionalResources.Add(new PodDisruptionBudget(name));
        var policies = ChartPolicies.Enabled(chart);
        var policy = new NetworkPolicy($"{name}-network", ComponentLabels.Select(name)).ToNames(chart)
            .To(NetworkPeer.Component(BrokerPods.Component), BrokerAccess.ServerPorts);
        if (OutsidePort() is { } port)
        {
            policy.To(null, port);
        }

        service.AdditionalResources.Add(chart.When(policies, name, policy));
        var keda = chart.Values.Path("keda.enabled", true, "Whether KEDA, which must be installed, scales the pools; without it each has one replica until somebody scales it.");
        service.AdditionalResources.Add(chart.When(keda, name, new TriggerAuthentication($"{name}-broker",
        [
            new("username", access.SecretName, "scaler-username"),
            new("password", access.SecretName, BrokerUser.Scaler.PasswordKey),
        ])));
        service.AdditionalResources.Add(chart.When(keda, name, new ScaledObject(name, Scaling(access))));
    }

    private ScaledObject.ScalingSpec Scaling(BrokerAccess access)
    {
        var values = chart.Values;
        var least = values.Number($"{_section}.minReplicas", options.MinReplicas, "Replicas without any job; 0 scales to zero.");
        chart.RefuseMinAboveMax(_section);
        return new()
        {
            ScaleTargetRef = new($"{name}-deployment"),
            PollingInterval = FromZero(values.Number(
                $"{_section}.pollingSeconds",
                (int)options.PollingInterval.TotalSeconds,
                "How often the queue is looked at while there is no replica; the cluster looks every 15 s while there are some.",
                least: 1)),
            CooldownPeriod = FromZero(values.Number(
                $"{_section}.cooldownSeconds",
                (int)options.Cooldown.TotalSeconds,
                "How long fewer jobs must have been enough before there are fewer replicas.",
                most: 3600)),
            MinReplicaCount = least,
            MaxReplicaCount = values.Number($"{_section}.maxReplicas", options.MaxReplicas, "Replicas at most.", least: 1),
            Fallback = new(3, least),
            Advanced = new(new(new(new($"{{{{ .Values.{_section}.cooldownSeconds | int }}}}")))),
            Triggers =
            [
                new(new Dictionary<string, string>
                {
                    // Only the management API counts jobs that a worker has taken: by AMQP a pool that computes looks idle.
                    ["protocol"] = "http",
                    ["host"] = access.ManagementAddress,
                    ["vhostName"] = access.VirtualHost,

                    // The longer of both lanes, that of all jobs: what is in the other, for those whose worker was silent, is in the first
                    // too until that worker is heard of, and twice for a moment. A sum would bring workers for jobs that there are not.
                    ["queueName"] = $"^infer\\.{Regex.Escape(Model)}\\.{Version.Replace(" }}", " | toString | regexQuoteMeta }}", StringComparison.Ordinal)}\\.(default|resume)$",
                    ["useRegex"] = "true",
                    ["operation"] = "max",
                    ["mode"] = "QueueLength",
                    ["excludeUnacknowledged"] = "false",
                    ["value"] = values.NumberText($"{_section}.jobsPerReplica", options.JobsPerReplica, "Jobs, waiting or running, for which there is one replica."),
                    ["activationValue"] = "0",
                },
                new($"{name}-broker")),
            ],
        };
    }

    // KEDA looks at the queue itself, and ends the last replica, only where there may be none; elsewhere it warns of both settings.
    private string FromZero(string number) =>
        $"{{{{ if eq (int .Values.{_section}.minReplicas) 0 }}}}{number}{{{{ else }}}}null{{{{ end }}}}";

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

    // The broker is told of it before the pool is written.
    private static BrokerUser AddUser(KubernetesChart chart, string name, PoolOptions options, EngineFacts engine)
    {
        var user = BrokerUser.Worker(name, options.Model ?? name, engine);
        chart.BrokerUsers.Add(user);
        return user;
    }

    // In the pod itself, so that another version replaces the pods.
    private void SetVersion(KubernetesResource service, string variable)
    {
        service.ConfigMap!.Data.Remove(variable);
        Set(service.Workload!.PodTemplate.Spec.Containers[0], variable, Version);
    }

    private static void Set(ContainerV1 container, string variable, string value) => container.Env.Add(new() { Name = variable, Value = value });
}
