using System.Globalization;
using AgentPlatform.AppHost.Kubernetes.Chart;
using Aspire.Hosting.Kubernetes;
using Aspire.Hosting.Kubernetes.Resources;

namespace AgentPlatform.AppHost.Kubernetes.Broker;

/// <summary>
/// How the parts of the platform connect to the broker. The passwords of all users are in one Secret, which containers only refer to.
/// </summary>
internal sealed class BrokerAccess(KubernetesChart chart)
{
    /// <summary>Name of the Secret that the chart creates if values.yaml names no existing one.</summary>
    public const string OwnSecret = "messaging-users";

    /// <summary>Port of AMQP without TLS.</summary>
    public const int PlainPort = 5672;

    /// <summary>Port of AMQP over TLS.</summary>
    public const int TlsPort = 5671;

    private const string TrustFolder = "/etc/agentplatform/broker-ca";

    /// <summary>Both ports of the release's own broker.</summary>
    public static string[] ServerPorts { get; } =
        [.. new[] { PlainPort, TlsPort }.Select(port => port.ToString(CultureInfo.InvariantCulture))];

    /// <summary>Condition: the release has its own broker.</summary>
    public string Enabled { get; } = chart.Values.Path(
        "broker.enabled",
        true,
        "RabbitMQ as a part of this release: one node with a volume. For production, name one that outlives the release.");

    /// <summary>Expression for the name of the Secret.</summary>
    public string SecretName => $"{{{{ {ExistingSecret} | default `{OwnSecret}` }}}}";

    /// <summary>Condition: the chart creates the Secret.</summary>
    public string MakesSecret => $"not {ExistingSecret}";

    private string ExistingSecret { get; } = chart.Values.Path(
        "broker.existingSecret",
        "",
        "A Secret with the keys gateway-password, worker-POOL-password of each pool, scaler-username, scaler-password, and erlang-cookie "
        + "for a broker of several nodes (letters and digits); empty: one is made.");

    /// <summary>Condition: the broker has a certificate of a private authority, and clients connect with TLS.</summary>
    public string IsEncrypted => $"(or {TlsSecret} {MakesCertificate})";

    /// <summary>Condition: cert-manager issues that certificate.</summary>
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

    /// <summary>Condition: the release's own broker accepts connections with TLS only.</summary>
    public string IsEncryptedOnly { get; } = chart.Values.Path(
        "broker.tls.only",
        false,
        "Whether the release's own broker then refuses connections without TLS. Set it once all gateways and workers speak "
        + "TLS: those before do not.");

    /// <summary>Expression for the broker's host name.</summary>
    public string Host { get; } = chart.Values.Text("broker.host", "messaging-service", "Where it is.");

    /// <summary>Expression for the port of AMQP.</summary>
    /// <remarks>Converted to an integer first: in Helm 3.18.0 the number 0 of values.yaml is not empty.</remarks>
    public string Port =>
        $"{{{{ {PortValue} | int | default (or {IsEncrypted} (eq {SchemeValue} `amqps`) | empty | ternary 5672 5671) | int }}}}";

    private string PortValue { get; } = chart.Values.Path("broker.port", 0, "Its port for AMQP; 0: 5671 with TLS, 5672 without.");

    private string Scheme => $"{{{{ {IsEncrypted} | empty | ternary {SchemeValue} `amqps` }}}}";

    private string SchemeValue { get; } = chart.Values.OneOf(
        "broker.scheme", "amqp", "amqp, or amqps for an existing broker with a certificate of a public authority.", "amqp", "amqps");

    /// <summary>Expression for the name of the virtual host.</summary>
    public string VirtualHost { get; } = chart.Values.Text("broker.virtualHost", "/", "Its virtual host.");

    /// <summary>Expression for the address of the management API, which KEDA uses from another namespace.</summary>
    public string ManagementAddress =>
        $"{{{{ {ManagementUrl} | default (printf `http://%s.%s.svc:15672/` .Values.broker.host .Release.Namespace) }}}}";

    private string ManagementUrl { get; } = chart.Values.Path(
        "broker.managementUrl",
        "",
        "Address of its management API, which KEDA asks, ending in a slash; empty: port 15672 of the release's own.");

    /// <summary>
    /// Has Helm reject TLS for the release's own broker without a certificate, and a certificate by cert-manager for an existing broker.
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

    /// <summary>Gives a container its connection string, instead of the Secret that Aspire creates for each consumer.</summary>
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

    // .NET trusts the certificates in all of these folders: those of the image, and the broker's. SSL_CERT_FILE would replace the former.
    private void Trust(PodSpecV1 pod, ContainerV1 container)
    {
        pod.Volumes.Add(TlsVolume("broker-ca", "ca.crt"));
        container.VolumeMounts.Add(new() { Name = "broker-ca", MountPath = TrustFolder, ReadOnly = true });
        container.Env.Add(new() { Name = "SSL_CERT_DIR", Value = $"/etc/ssl/certs{{{{ if {IsEncrypted} }}}}:{TrustFolder}{{{{ end }}}}" });
    }

    /// <summary>A volume with keys of the certificate's Secret. With TLS, pods wait for the Secret; without it, it is optional.</summary>
    public VolumeV1 TlsVolume(string name, params IEnumerable<string> keys)
    {
        chart.Replace("optional: true", $"optional: {{{{ {IsEncrypted} | empty }}}}");
        var secret = $"{{{{ {TlsSecret} | default `{BrokerCertificate.Secret}` }}}}";
        var source = new SecretVolumeSourceV1 { SecretName = secret, Optional = true };
        source.Items.AddRange(keys.Select(key => new KeyToPathV1 { Key = key, Path = key }));
        return new() { Name = name, Secret = source };
    }

    /// <summary>Refers to a key of the Secret of users.</summary>
    public EnvVarSourceV1 FromSecret(string key) => new() { SecretKeyRef = new() { Name = SecretName, Key = key } };
}
