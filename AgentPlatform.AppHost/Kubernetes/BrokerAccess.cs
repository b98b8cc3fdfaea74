using Aspire.Hosting.Kubernetes;
using Aspire.Hosting.Kubernetes.Resources;

namespace AgentPlatform.AppHost.Kubernetes;

/// <summary>A user of the broker, with the rights that its work takes.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Configure">What it may declare, as a regular expression.</param>
/// <param name="Write">What it may publish to and bind.</param>
/// <param name="Read">What it may consume and bind to.</param>
/// <param name="Tags">What it may in the management API.</param>
internal sealed record BrokerUser(string Name, string Configure, string Write, string Read, string Tags = "")
{
    /// <summary>Publishes jobs, and reads the answers of its own reply queue.</summary>
    public static BrokerUser Gateway { get; } = new("gateway", "^infer.*$", "^(infer.*|amq\\.default)$", "^(infer.*|amq\\.default)$");

    /// <summary>Takes jobs, answers to reply queues, and listens to what concerns every worker in a queue that the server names.</summary>
    public static BrokerUser Worker { get; } = new("worker", "^(infer.*|amq\\.gen.*)$", "^(infer.*|amq\\.gen.*|amq\\.default)$", "^(infer.*|amq\\.gen.*)$");

    /// <summary>KEDA: sees queues, and does nothing with them.</summary>
    public static BrokerUser Scaler { get; } = new("scaler", "^$", "^$", "^$", "monitoring");

    /// <summary>All of them.</summary>
    public static IReadOnlyList<BrokerUser> All { get; } = [Gateway, Worker, Scaler];

    /// <summary>Key of its password in the Secret.</summary>
    public string PasswordKey => $"{Name}-password";
}

/// <summary>How the parts of the platform reach the broker: one Secret with a password for each user, by reference only.</summary>
internal sealed class BrokerAccess(KubernetesChart chart)
{
    /// <summary>The Secret that the chart makes where no existing one is named.</summary>
    public const string OwnSecret = "messaging-users";

    private const string TrustFolder = "/etc/agentplatform/broker-ca";

    /// <summary>Whether the chart brings the broker.</summary>
    public string Enabled { get; } = chart.Values.Path("broker.enabled", true, "RabbitMQ as a part of this release: one node with a volume. For production, name one that outlives the release.");

    /// <summary>Name of the Secret in use.</summary>
    public string SecretName => $"{{{{ {ExistingSecret} | default `{OwnSecret}` }}}}";

    /// <summary>Whether the chart makes the Secret.</summary>
    public string MakesSecret => $"not {ExistingSecret}";

    private string ExistingSecret { get; } = chart.Values.Path("broker.existingSecret", "", "A Secret with the keys gateway-password, worker-password, scaler-username and scaler-password (letters and digits); empty: one is made.");

    /// <summary>The Secret of a certificate, if connections are encrypted by one of a private authority.</summary>
    public string TlsSecret { get; } = chart.Values.Path(
        "broker.tls.secretName",
        "",
        "A Secret such as cert-manager makes, with tls.crt and tls.key for the broker's host name, and ca.crt, which gateways and workers trust; all then speak AMQP over TLS only. Of an existing broker ca.crt is enough.");

    /// <summary>Port that the release's own broker listens on.</summary>
    public string ServerPort => $"{{{{ {TlsSecret} | empty | ternary 5672 5671 | int }}}}";

    private string Host { get; } = chart.Values.Text("broker.host", "messaging-service", "Where it is.");

    // Converted first: in Helm 3.18.0 the number 0 of values.yaml is not empty.
    /// <summary>Port for AMQP.</summary>
    public string Port => $"{{{{ {PortValue} | int | default (or {TlsSecret} (eq {SchemeValue} `amqps`) | empty | ternary 5672 5671) | int }}}}";

    private string PortValue { get; } = chart.Values.Path("broker.port", 0, "Its port for AMQP; 0: 5671 with TLS, 5672 without.");

    private string Scheme => $"{{{{ {TlsSecret} | empty | ternary {SchemeValue} `amqps` }}}}";

    private string SchemeValue { get; } = chart.Values.OneOf("broker.scheme", "amqp", "amqp, or amqps for an existing broker with a certificate of a public authority.", "amqp", "amqps");

    /// <summary>Name of the virtual host.</summary>
    public string VirtualHost { get; } = chart.Values.Text("broker.virtualHost", "/", "Its virtual host.");

    /// <summary>Address of the management API. KEDA asks from another namespace.</summary>
    public string ManagementAddress => $"{{{{ {ManagementUrl} | default (printf `http://%s.%s.svc:15672/` .Values.broker.host .Release.Namespace) }}}}";

    private string ManagementUrl { get; } = chart.Values.Path(
        "broker.managementUrl", "", "Address of its management API, which KEDA asks, ending in a slash; empty: port 15672 of the release's own.");

    /// <summary>Has Helm refuse a broker of the release's own that clients would ask for TLS and that has no certificate.</summary>
    public void RefuseTlsWithoutCertificate() => chart.Refuse(
        $"and {Enabled} (eq {SchemeValue} `amqps`) (empty {TlsSecret})", "broker.scheme is amqps, and the release's own broker speaks TLS only with broker.tls.secretName.");

    /// <summary>Gives a container its connection string, in place of Aspire's own Secret for each consumer.</summary>
    public void Connect(KubernetesResource service, ContainerV1 container, BrokerUser user)
    {
        service.Secret = null;
        container.EnvFrom.RemoveAll(source => source.SecretRef is not null);
        foreach (var key in (string[])["MESSAGING_HOST", "MESSAGING_PORT", "MESSAGING_USERNAME"])
        {
            service.ConfigMap?.Data.Remove(key);
        }

        Trust(service.Workload!.PodTemplate.Spec, container);
        container.Env.Add(new() { Name = "BROKER_PASSWORD", ValueFrom = FromSecret(user.PasswordKey) });
        container.Env.Add(new()
        {
            Name = "ConnectionStrings__messaging",
            Value = $"{Scheme}://{user.Name}:$(BROKER_PASSWORD)@{Host}:{Port}/{VirtualHost.Replace(" }}", " | urlquery }}", StringComparison.Ordinal)}",
        });
    }

    // .NET reads all certificates of these folders: the authorities of the image, and that of the broker. SSL_CERT_FILE would replace the former.
    private void Trust(PodSpecV1 pod, ContainerV1 container)
    {
        pod.Volumes.Add(TlsVolume("broker-ca", "ca.crt"));
        container.VolumeMounts.Add(new() { Name = "broker-ca", MountPath = TrustFolder, ReadOnly = true });
        container.Env.Add(new() { Name = "SSL_CERT_DIR", Value = $"/etc/ssl/certs{{{{ if {TlsSecret} }}}}:{TrustFolder}{{{{ end }}}}" });
    }

    /// <summary>Files of the certificate's Secret; empty where there is none.</summary>
    public VolumeV1 TlsVolume(string name, params IEnumerable<string> keys)
    {
        var source = new SecretVolumeSourceV1 { SecretName = $"{{{{ {TlsSecret} | default `messaging-tls` }}}}", Optional = true };
        source.Items.AddRange(keys.Select(key => new KeyToPathV1 { Key = key, Path = key }));
        return new() { Name = name, Secret = source };
    }

    /// <summary>A value of the Secret.</summary>
    public EnvVarSourceV1 FromSecret(string key) => new() { SecretKeyRef = new() { Name = SecretName, Key = key } };
}
