using System.Text.RegularExpressions;
using AgentPlatform.AppHost.Broker;
using AgentPlatform.AppHost.Kubernetes.Broker;
using AgentPlatform.AppHost.Kubernetes.Chart;
using AgentPlatform.AppHost.Kubernetes.Objects;
using Aspire.Hosting.Kubernetes;

namespace AgentPlatform.AppHost.Kubernetes.Workloads;

/// <summary>Has KEDA scale a pool's workers, from zero, on the jobs in the pool's queue.</summary>
internal sealed class QueueScaling(KubernetesChart chart, string name, PoolOptions options)
{
    private readonly string _section = $"pools.{ChartValues.Key(name)}";

    /// <summary>Adds the objects for KEDA, which are installed if values.yaml enables it.</summary>
    /// <param name="service">The pool's objects.</param>
    /// <param name="version">Expression for the model's version.</param>
    public void Configure(KubernetesResource service, string version)
    {
        var access = new BrokerAccess(chart);
        var keda = chart.Values.Path(
            "keda.enabled",
            true,
            "Whether KEDA, which must be installed, scales the pools; without it each has one replica until somebody scales it.");
        service.AdditionalResources.Add(chart.When(keda, name, new TriggerAuthentication($"{name}-broker",
        [
            new("username", access.SecretName, "scaler-username"),
            new("password", access.SecretName, BrokerUser.Scaler.PasswordKey),
        ])));
        service.AdditionalResources.Add(chart.When(keda, name, new ScaledObject(name, Spec(access, version))));
    }

    private ScaledObject.ScalingSpec Spec(BrokerAccess access, string version)
    {
        var values = chart.Values;
        var min = values.Number($"{_section}.minReplicas", options.MinReplicas, "Replicas without any job; 0 scales to zero.");
        chart.RefuseMinAboveMax(_section);
        return new()
        {
            ScaleTargetRef = new($"{name}-deployment"),
            PollingInterval = FromZero(values.Number(
                $"{_section}.pollingSeconds",
                (int)options.PollingInterval.TotalSeconds,
                "How often the queue is looked at while there is no replica; the cluster looks every 15 s while there are some.",
                min: 1)),
            CooldownPeriod = FromZero(values.Number(
                $"{_section}.cooldownSeconds",
                (int)options.Cooldown.TotalSeconds,
                "How long fewer jobs must have been enough before there are fewer replicas.",
                max: 3600)),
            MinReplicaCount = min,
            MaxReplicaCount = values.Number($"{_section}.maxReplicas", options.MaxReplicas, "Replicas at most.", min: 1),
            Fallback = new(3, min),
            Advanced = new(new(new(new($"{{{{ .Values.{_section}.cooldownSeconds | int }}}}")))),
            Triggers =
            [
                new(new Dictionary<string, string>
                {
                    // Only the management API counts unacknowledged jobs: over AMQP a busy pool looks idle.
                    ["protocol"] = "http",
                    ["host"] = access.ManagementAddress,
                    ["vhostName"] = access.VirtualHost,

                    // The longer of both lanes. A job whose worker went silent is in the resume lane too, while the default lane still
                    // holds it unacknowledged: a sum would count it twice.
                    ["queueName"] = $"^{QueueNames.JobsPattern(Regex.Escape(options.Model ?? name), Quoted(version))}$",
                    ["useRegex"] = "true",
                    ["operation"] = "max",
                    ["mode"] = "QueueLength",
                    ["excludeUnacknowledged"] = "false",
                    ["value"] = values.NumberText(
                        $"{_section}.jobsPerReplica", options.JobsPerReplica, "Jobs, waiting or running, for which there is one replica."),
                    ["activationValue"] = "0",
                },
                new($"{name}-broker")),
            ],
        };
    }

    // KEDA uses the polling interval and the cooldown only for scaling to and from zero; otherwise it warns that they have no effect.
    private string FromZero(string number) =>
        $"{{{{ if eq (int .Values.{_section}.minReplicas) 0 }}}}{number}{{{{ else }}}}null{{{{ end }}}}";

    // The version, escaped for a regular expression.
    private static string Quoted(string version) => version.Replace(" }}", " | toString | regexQuoteMeta }}", StringComparison.Ordinal);
}
