using AgentPlatform.AppHost.Kubernetes.Objects;

namespace AgentPlatform.AppHost.Kubernetes.Broker;

/// <summary>
/// The certificate of the release's own broker, issued and renewed by cert-manager: an authority that only this release trusts, and a
/// certificate signed by it. RabbitMQ reloads the files when they change.
/// </summary>
/// <seealso href="https://cert-manager.io/docs/configuration/selfsigned/#bootstrapping-ca-issuers"/>
internal static class BrokerCertificate
{
    /// <summary>Name of the Secret with the certificate, its key, and the authority's certificate.</summary>
    public const string Secret = "messaging-tls";

    private const string Start = "messaging-self-signed";
    private const string Authority = "messaging-authority";

    /// <summary>The objects for cert-manager.</summary>
    public static IEnumerable<NamedObject> Objects(BrokerAccess access) =>
    [
        new Issuer(Start, new() { SelfSigned = new() }),
        new Certificate(Authority, new()
        {
            IsCA = true,
            CommonName = Authority,
            SecretName = Authority,
            Duration = "87600h",
            IssuerRef = new(Start),
        }),
        new Issuer($"{Authority}-issuer", new() { Ca = new(Authority) }),
        new Certificate($"{Secret}-certificate", new()
        {
            SecretName = Secret,
            DnsNames = [access.Host, $"{access.Host}.{{{{ .Release.Namespace }}}}.svc"],
            Duration = "2160h",
            IssuerRef = new($"{Authority}-issuer"),
        }),
    ];

    private sealed class Issuer(string name, IssuerSpec spec) : NamedObject("cert-manager.io/v1", "Issuer", name)
    {
        public IssuerSpec Spec { get; } = spec;
    }

    private sealed class IssuerSpec
    {
        public SelfSignedIssuer? SelfSigned { get; init; }

        public AuthorityIssuer? Ca { get; init; }
    }

    private sealed record SelfSignedIssuer;

    private sealed record AuthorityIssuer(string SecretName);

    private sealed class Certificate(string name, CertificateSpec spec) : NamedObject("cert-manager.io/v1", "Certificate", name)
    {
        public CertificateSpec Spec { get; } = spec;
    }

    private sealed class CertificateSpec
    {
        public bool? IsCA { get; init; }

        public string? CommonName { get; init; }

        public required string SecretName { get; init; }

        public IReadOnlyList<string> DnsNames { get; init; } = [];

        public required string Duration { get; init; }

        public PrivateKeySpec PrivateKey { get; } = new();

        public required IssuerReference IssuerRef { get; init; }
    }

    private sealed record PrivateKeySpec
    {
        public string Algorithm { get; } = "ECDSA";

        public int Size { get; } = 256;
    }

    private sealed record IssuerReference(string Name)
    {
        public string Kind { get; } = "Issuer";
    }
}
