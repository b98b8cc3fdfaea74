using System.Globalization;
using AgentPlatform.AppHost.Kubernetes.Chart;
using Aspire.Hosting.Kubernetes;
using Aspire.Hosting.Kubernetes.Resources;

namespace AgentPlatform.AppHost.Kubernetes.Broker;

/// <summary>How the parts of the platform reach the broker: one Secret with a password for each user, by reference only.</summary>
internal sealed class BrokerAccess(KubernetesChart chart)
{
    /// <summary>The Secret that the chart makes where no existing one is named.</summary>
    public const string OwnSecret = "messaging-users";

    /// <summary>Port of AMQP without encryption.</summary>
    public const int PlainPort = 5672;

    /// <summary>Port of AMQP over TLS.</summary>
    public const int TlsPort = 5671;

    private const string TrustFolder = "/etc/agentplatform/broker-ca";

    /// <summary>Ports of the release's own broker for both.</summary>
    public static string[] ServerPorts { get; } =
        [.. new[] { PlainPort, TlsPort }.Select(port => port.ToString(CultureInfo.InvariantCulture))];

    /// <summary>Whether the chart brings the broker.</summary>
    public string Enabled { get; } = chart.Values.Path("broker.enabled", true, "RabbitMQ as a part of this release: one node with a volume. For production, name one that outlives the release.");

    /// <summary>Name of the Secret in use.</summary>
    public string SecretName => $"{{{{ {ExistingSecret} | default `{OwnSecret}` }}}}";

    /// <summary>Whether the chart makes the Secret.</summary>
    public string MakesSecret => $"not {ExistingSecret}";

    private string ExistingSecret { get; } = chart.Values.Path(
        "broker.existingSecret",
        "",
        "A Secret with the keys gateway-password, worker-POOL-password of each pool, scaler-username, scaler-password, and erlang-cookie "
        + "for a broker of several nodes (letters and digits); empty: one is made.");

    /// <summary>Whether connections are encrypted by a certificate of a private authority.</summary>
    public string IsEncrypted => $"(or {TlsSecret} {MakesCertificate})";

    /// <summary>Whether the chart has cert-manager make that certificate.</summary>
    public string MakesCertificate { get; } = chart.Values.Path(
        "broker.tls.certManager",
        false,
        "Whether cert-manager, which must be installed, makes a certificate for the release's own broker; gateways and workers then "
        + "speak AMQP over TLS.");

    private string TlsSecret { get; } = chart.Values.Path(
        "broker.tls.secretName",
        "",
        "Instead, a Secret with tls.crt and tls.key for the broker's host name, and ca.crt, which gateways and workers trust. Of an "
        + "existing broker ca.crt is enough.");

    /// <summary>Whether the release's own broker then refuses connections without encryption.</summary>
    public string IsEncryptedOnly { get; } = chart.Values.Path(
        "broker.tls.only",
        false,
        "Whether the release's own broker then refuses connections without TLS. Set it once all gateways and workers speak "
        + "TLS: those before do not.");

    /// <summary>Its host name.</summary>
    public string Host { get; } = chart.Values.Text("broker.host", "messaging-service", "Where it is.");

    // Converted first: in Helm 3.18.0 the number 0 of values.yaml is not empty.
    /// <summary>Port for AMQP.</summary>
    public string Port => $"{{{{ {PortValue} | int | default (or {IsEncrypted} (eq {SchemeValue} `amqps`) | empty | ternary 5672 5671) | int }}}}";

    private string PortValue { get; } = chart.Values.Path("broker.port", 0, "Its port for AMQP; 0: 5671 with TLS, 5672 without.");

    private string Scheme => $"{{{{ {IsEncrypted} | empty | ternary {SchemeValue} `amqps` }}}}";

    private string SchemeValue { get; } = chart.Values.OneOf("broker.scheme", "amqp", "amqp, or amqps for an existing broker with a certificate of a public authority.", "amqp", "amqps");

    /// <summary>Name of the virtual host.</summary>
    public string VirtualHost { get; } = chart.Values.Text("broker.virtualHost", "/", "Its virtual host.");

    /// <summary>Address of the management API. KEDA asks from another namespace.</summary>
    public string ManagementAddress => $"{{{{ {ManagementUrl} | default (printf `http://%s.%s.svc:15672/` .Values.broker.host .Release.Namespace) }}}}";

    private string ManagementUrl { get; } = chart.Values.Path(
        "broker.managementUrl", "", "Address of its management API, which KEDA asks, ending in a slash; empty: port 15672 of the release's own.");

    /// <summary>
    /// Has Helm refuse a broker of the release's own that clients would ask for TLS and that has no certificate, and a certificate for
    /// another broker.
    /// </summary>
    public void RefuseTlsWithoutCertificate()
    {
        chart.Refuse(
            $"and {Enabled} (eq {SchemeValue} `amqps`) (not {IsEncrypted})",
            "broker.scheme is amqps, and the release's own broker speaks TLS only with broker.tls.certManager or broker.tls.secretName.");
        chart.Refuse(
            $"and {MakesCertificate} (not {Enabled})",
            "broker.tls.certManager makes the certificate of the release's own broker: with broker.enabled=false, broker.tls.secretName "
            + "names a Secret with the ca.crt of that one.");
    }

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
        container.Env.Add(new() { Name = "Messaging__DeadLettersByPolicy", Value = $"{{{{ {Enabled} }}}}" });
        container.Env.Add(new()
        {
            Name = "ConnectionStrings__messaging",
            Value = $"{Scheme}://{user.Name}:$(BROKER_PASSWORD)@{Host}:{Port}/"
                + VirtualHost.Replace(" }}", " | urlquery | replace `+` `%20` }}", StringComparison.Ordinal),
        });
    }

    // .NET reads all certificates of these folders: the authorities of the image, and that of the broker. SSL_CERT_FILE would replace the former.
    private void Trust(PodSpecV1 pod, ContainerV1 container)
    {
        pod.Volumes.Add(TlsVolume("broker-ca", "ca.crt"));
        container.VolumeMounts.Add(new() { Name = "broker-ca", MountPath = TrustFolder, ReadOnly = true });
        container.Env.Add(new() { Name = "SSL_CERT_DIR", Value = $"/etc/ssl/certs{{{{ if {IsEncrypted} }}}}:{TrustFolder}{{{{ end }}}}" });
    }

    /// <summary>Files of the certificate's Secret. Without encryption there need be none; with it pods wait until there is one.</summary>
    public VolumeV1 TlsVolume(string name, params IEnumerable<string> keys)
    {
        chart.Replace("optional: true", $"optional: {{{{ {IsEncrypted} | empty }}}}");
        var secret = $"{{{{ {TlsSecret} | default `{BrokerCertificate.Secret}` }}}}";
        var source = new SecretVolumeSourceV1 { SecretName = secret, Optional = true };
        source.Items.AddRange(keys.Select(key => new KeyToPathV1 { Key = key, Path = key }));
        return new() { Name = name, Secret = source };
    }

    /// <summary>A value of the Secret.</summary>
    public EnvVarSourceV1 FromSecret(string key) => new() { SecretKeyRef = new() { Name = SecretName, Key = key } };
}
