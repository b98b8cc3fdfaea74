using AgentPlatform.AppHost.Kubernetes.Chart;
using AgentPlatform.AppHost.Kubernetes.Pods;
using Aspire.Hosting.Kubernetes.Resources;

namespace AgentPlatform.AppHost.Kubernetes.Workloads;

/// <summary>
/// The server that computes a pool's model, as a sidecar: started before the worker, which waits until it is ready, and ended after it, so that a
/// drain has its model to the end. The pod's GPUs are the server's.
/// </summary>
internal sealed class ServerContainer(KubernetesChart chart, string pool, PoolOptions options, EngineServer server)
{
    private const string Home = "/home/engine";

    private readonly string _section = $"pools.{ChartValues.Key(pool)}";

    public ContainerV1 Build(PodSpecV1 pod)
    {
        var values = chart.Values;
        var container = new ContainerV1
        {
            Name = "server",
            Image = values.Text($"{_section}.serverImage", $"{server.Image}:{server.Tag}", $"Image of {server.Product}, which computes the model beside each worker."),
            RestartPolicy = "Always",
            Resources = PodShape.Need(
                values.Text($"{_section}.serverCpu", options.ServerCpu, $"Processors that each {server.Product} needs."),
                values.Text($"{_section}.serverMemory", options.ServerMemory, "Memory of each.")),
            StartupProbe = Ask(period: 5, failures: (int)Math.Ceiling(options.StartupTimeout.TotalSeconds / 5)),
            LivenessProbe = Ask(period: 10, failures: 6),
        };
        if (server.Entrypoint is { } entrypoint)
        {
            container.Command.Add(entrypoint);
        }

        // For the worker beside it only: it asks nobody for a key, and has routes that nobody should reach.
        container.Args.AddRange([.. server.Args, .. server.LoopbackArgs]);
        container.Env.AddRange(server.Variables.Concat(server.LoopbackVariables).Select(variable =>
            new EnvVarV1 { Name = variable.Key, Value = variable.Value }));
        container.Env.AddRange(server.Secrets.Keys.Select(variable => FromSecret(chart, pool, variable)));

        // Servers keep what they make below the home folder of their user, and the rest of the file system is only to be read. Python asks for
        // the user's name, which the image does not have.
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
            Gpus.Take(container, options);
        }

        return container;
    }

    private ProbeV1 Ask(int period, int failures)
    {
        var probe = new ProbeV1 { Exec = new(), PeriodSeconds = period, TimeoutSeconds = 10, FailureThreshold = failures };
        probe.Exec.Command.AddRange(server.HealthCommand);
        return probe;
    }

    /// <summary>A variable from the Secret that somebody has made for a pool, under the variable's own name.</summary>
    public static EnvVarV1 FromSecret(KubernetesChart chart, string pool, string variable) => new()
    {
        Name = variable,
        ValueFrom = new()
        {
            SecretKeyRef = new()
            {
                Name = chart.Values.Text($"pools.{ChartValues.Key(pool)}.secretName", $"{pool}-keys", "An existing Secret, with the keys of the providers that the pool asks under the names of the worker's variables."),
                Key = variable,
            },
        },
    };
}
