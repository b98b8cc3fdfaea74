using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace AgentPlatform.Tests;

/// <summary>An authority that nobody trusts unless told to, and the certificates of its servers. Both are valid for hours only.</summary>
internal sealed class PrivateAuthority : IDisposable
{
    private readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private readonly X509Certificate2 _certificate;
    private readonly DateTimeOffset _now = TimeProvider.System.GetUtcNow();

    public PrivateAuthority()
    {
        var request = new CertificateRequest("CN=a private authority", _key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(
            new X509BasicConstraintsExtension(
                certificateAuthority: true, hasPathLengthConstraint: false, pathLengthConstraint: 0, critical: true));
        _certificate = request.CreateSelfSigned(_now.AddDays(-1), _now.AddDays(1));
    }

    /// <summary>What those who trust it are given: its certificate, as PEM.</summary>
    public string Pem => _certificate.ExportCertificatePem();

    /// <summary>A server's certificate with its key.</summary>
    /// <param name="server">Its common name.</param>
    /// <param name="addNames">Adds the names and addresses by which clients know it.</param>
    public X509Certificate2 Issue(string server, Action<SubjectAlternativeNameBuilder> addNames)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var names = new SubjectAlternativeNameBuilder();
        addNames(names);
        var request = new CertificateRequest($"CN={server}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(names.Build());
        using var certificate = request.Create(_certificate, _now.AddHours(-1), _now.AddHours(1), [1]);
        return certificate.CopyWithPrivateKey(key);
    }

    public void Dispose()
    {
        _certificate.Dispose();
        _key.Dispose();
    }
}
