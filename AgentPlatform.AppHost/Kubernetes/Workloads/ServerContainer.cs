using AgentPlatform.AppHost.Kubernetes.Chart;
using AgentPlatform.AppHost.Kubernetes.Pods;
using Aspire.Hosting.Kubernetes.Resources;

namespace AgentPlatform.AppHost.Kubernetes.Workloads;

/// <summary>
/// The server that runs a pool's model, as a native sidecar: it starts before the worker, which waits until it is ready, and stops after
/// it, so that the worker can finish its jobs. The pod's GPUs belong to the server.
/// </summary>
internal sealed class ServerContainer(KubernetesChart chart, string pool, PoolOptions options, EngineServer server)
{
    private const string Home = "/home/engine";

    private readonly string _section = $"pools.{ChartValues.Key(pool)}";

    /// <summary>Creates the container, and adds its volumes to the pod.</summary>
    public ContainerV1 Build(PodSpecV1 pod)
    {
        var values = chart.Values;
        var container = new ContainerV1
        {
            Name = "server",
            Image = values.Text(
                $"{_section}.serverImage",
                $"{server.Image}:{server.Tag}",
                $"Image of {server.Product}, which computes the model beside each worker."),
            RestartPolicy = "Always",
            Resources = PodShape.Resources(
                values.Text($"{_section}.serverCpu", options.ServerCpu, $"Processors that each {server.Product} needs."),
                values.Text($"{_section}.serverMemory", options.ServerMemory, "Memory of each.")),
            StartupProbe = Probe(period: 5, failures: (int)Math.Ceiling(options.StartupTimeout.TotalSeconds / 5)),
            LivenessProbe = Probe(period: 10, failures: 6),
        };
        if (server.Entrypoint is { } entrypoint)
        {
            container.Command.Add(entrypoint);
        }

        // Listens for the worker of its pod only: it needs no key, and has routes that must not be reachable.
        container.Args.AddRange([.. server.Args, .. server.LoopbackArgs]);
        container.Env.AddRange(server.Variables.Concat(server.LoopbackVariables).Select(variable =>
            new EnvVarV1 { Name = variable.Key, Value = variable.Value }));
        container.Env.AddRange(server.Secrets.Keys.Select(variable => FromSecret(chart, pool, variable)));

        // Servers write below the home folder of their user; the rest of the file system is read-only. Python looks up the user's name,
        // which the image does not define.
        container.Env.Add(new() { Name = "HOME", Value = Home });
        container.Env.Add(new() { Name = "USER", Value = "engine" });
        PodShape.Restrict(container);
        pod.Volumes.Add(server.Cache is not null || options.Weights == WeightsSource.Download
            ? WeightsVolume.Cache("home", chart, _section, options)
            : new() { Name = "home", EmptyDir = new() { SizeLimit = "1Gi" } });
        container.VolumeMounts.Add(new() { Name = "home", MountPath = Home });
        if (server.ModelFolder is not null)
        {
            pod.Volumes.Add(WeightsVolume.Of("models", chart, _section, options));
            container.VolumeMounts.Add(new() { Name = "models", MountPath = "/models", ReadOnly = true });
        }

        if (server.SharesMemory)
        {
            pod.Volumes.Add(new() { Name = "shared-memory", EmptyDir = new() { Medium = "Memory", SizeLimit = options.SharedMemory } });
            container.VolumeMounts.Add(new() { Name = "shared-memory", MountPath = "/dev/shm" });
        }

        if (options.Gpus > 0)
        {
            GpuResources.Request(container, options);
        }

        return container;
    }

    private ProbeV1 Probe(int period, int failures)
    {
        var probe = new ProbeV1 { Exec = new(), PeriodSeconds = period, TimeoutSeconds = 10, FailureThreshold = failures };
        probe.Exec.Command.AddRange(server.HealthCommand);
        return probe;
    }

    /// <summary>
    /// A variable whose value is the key of the same name in the pool's Secret, which has to exist before the installation.
    /// </summary>
    public static EnvVarV1 FromSecret(KubernetesChart chart, string pool, string variable) => new()
    {
        Name = variable,
        ValueFrom = new()
        {
            SecretKeyRef = new()
            {
                Name = chart.Values.Text(
                    $"pools.{ChartValues.Key(pool)}.secretName",
                    $"{pool}-keys",
                    "An existing Secret, with the keys of the providers that the pool asks under the names of the worker's variables."),
                Key = variable,
            },
        },
    };
}
