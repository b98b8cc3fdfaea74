using Aspire.Hosting.Kubernetes;
using Aspire.Hosting.Kubernetes.Resources;

namespace AgentPlatform.AppHost.Kubernetes;

/// <summary>A user of the broker, with the rights that its work takes.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Configure">What it may declare, as a regular expression.</param>
/// <param name="Write">What it may publish to and bind.</param>
/// <param name="Read">What it may consume and bind to.</param>
internal sealed record BrokerUser(string Name, string Configure, string Write, string Read)
{
    /// <summary>Publishes jobs, and reads the answers of its own reply queue.</summary>
    public static BrokerUser Gateway { get; } = new("gateway", "^infer.*$", "^(infer.*|amq\\.default)$", "^(infer.*|amq\\.default)$");

    /// <summary>Takes jobs, answers to reply queues, and listens to what concerns every worker in a queue that the server names.</summary>
    public static BrokerUser Worker { get; } = new("worker", "^(infer.*|amq\\.gen.*)$", "^(infer.*|amq\\.gen.*|amq\\.default)$", "^(infer.*|amq\\.gen.*)$");

    /// <summary>KEDA: sees queues, and does nothing with them.</summary>
    public static BrokerUser Scaler { get; } = new("scaler", "^$", "^$", "^$");

    /// <summary>Key of its password in the Secret.</summary>
    public string PasswordKey => $"{Name}-password";
}

/// <summary>How the parts of the platform reach the broker: one Secret with a password for each user, by reference only.</summary>
internal sealed class BrokerAccess(KubernetesChart chart)
{
    /// <summary>The Secret that the chart makes where no existing one is named.</summary>
    public const string OwnSecret = "messaging-users";

    /// <summary>Whether the chart brings the broker.</summary>
    public string Enabled { get; } = chart.Values.Path("broker.enabled", true, "RabbitMQ as a part of this release: one node with a volume. For production, name one that outlives the release.");

    /// <summary>Name of the Secret in use.</summary>
    public string SecretName => $"{{{{ {ExistingSecret} | default `{OwnSecret}` }}}}";

    /// <summary>Whether the chart makes the Secret.</summary>
    public string MakesSecret => $"not {ExistingSecret}";

    private string ExistingSecret { get; } = chart.Values.Path("broker.existingSecret", "", "A Secret with the keys gateway-password, worker-password, scaler-username and scaler-password (letters and digits); empty: one is made.");

    private string Host { get; } = chart.Values.Text("broker.host", "messaging-service", "Where it is.");

    /// <summary>Port for AMQP.</summary>
    public string Port { get; } = chart.Values.Number("broker.port", 5672, "Its port for AMQP; 5671 is usual with the scheme amqps.");

    private string Scheme { get; } = chart.Values.Text("broker.scheme", "amqp", "amqp, or amqps for TLS.");

    private string VirtualHost { get; } = chart.Values.Text("broker.virtualHost", "/", "Its virtual host.");

    /// <summary>Name of the virtual host.</summary>
    public string ScalerVirtualHost => VirtualHost;

    /// <summary>Address of the management API. KEDA asks from another namespace.</summary>
    public string ManagementAddress => $"{{{{ {ManagementUrl} | default (printf `http://%s.%s.svc:15672/` .Values.broker.host .Release.Namespace) }}}}";

    private string ManagementUrl { get; } = chart.Values.Path(
        "broker.managementUrl", "", "Address of its management API, which KEDA asks, ending in a slash; empty: port 15672 of the release's own.");

    /// <summary>Gives a container its connection string, in place of Aspire's own Secret for each consumer.</summary>
    public void Connect(KubernetesResource service, ContainerV1 container, BrokerUser user)
    {
        service.Secret = null;
        container.EnvFrom.RemoveAll(source => source.SecretRef is not null);
        foreach (var key in (string[])["MESSAGING_HOST", "MESSAGING_PORT", "MESSAGING_USERNAME"])
        {
            service.ConfigMap?.Data.Remove(key);
        }

        container.Env.Add(new() { Name = "BROKER_PASSWORD", ValueFrom = FromSecret(user.PasswordKey) });
        container.Env.Add(new()
        {
            Name = "ConnectionStrings__messaging",
            Value = $"{Scheme}://{user.Name}:$(BROKER_PASSWORD)@{Host}:{Port}/{VirtualHost.Replace(" }}", " | urlquery }}", StringComparison.Ordinal)}",
        });
    }

    /// <summary>A value of the Secret.</summary>
    public EnvVarSourceV1 FromSecret(string key) => new() { SecretKeyRef = new() { Name = SecretName, Key = key } };
}
