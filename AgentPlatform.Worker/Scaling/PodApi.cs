using System.Globalization;
using System.Net.Http.Headers;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Options;

namespace AgentPlatform.Worker.Scaling;

/// <summary>The one call of the cluster's API that a worker makes: it writes an annotation of its own pod, with its pod's token.</summary>
/// <remarks>Not safe for concurrent use.</remarks>
internal sealed class PodApi(IOptions<PodOptions> options) : IDisposable
{
    /// <summary>Of the pods of a ReplicaSet that has too many, those with less of it go first; without the annotation it is 0.</summary>
    /// <seealso href="https://kubernetes.io/docs/concepts/workloads/controllers/replicaset/#pod-deletion-cost"/>
    public const string DeletionCost = "controller.kubernetes.io/pod-deletion-cost";

    private const int LongestReason = 500;

    private static readonly TimeSpan _timeout = TimeSpan.FromSeconds(10);

    private HttpClient? _client;

    /// <summary>Writes what the pod's end would cost.</summary>
    /// <exception cref="HttpRequestException">The API is away or refuses it.</exception>
    /// <exception cref="IOException">The pod has no credentials.</exception>
    public async Task WriteDeletionCostAsync(int cost, CancellationToken cancellationToken)
    {
        try
        {
            // By the status, whose right to write cannot change what a pod runs; annotations may be written there as well.
            // Credentials are read each time: the cluster replaces a token before its hour is over.
            var pod = $"/api/v1/namespaces/{await ReadAsync("namespace", cancellationToken)}/pods/{options.Value.PodName}/status";
            using var request = new HttpRequestMessage(HttpMethod.Patch, new Uri(options.Value.Api!, pod));
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", await ReadAsync("token", cancellationToken));
            request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("application/json"));
            request.Content = new StringContent(
                string.Create(CultureInfo.InvariantCulture, $$$$"""{"metadata":{"annotations":{"{{{{DeletionCost}}}}":"{{{{cost}}}}"}}}"""),
                new MediaTypeHeaderValue("application/merge-patch+json"));
            using var response = await (_client ??= CreateClient()).SendAsync(request, cancellationToken);
            if (!response.IsSuccessStatusCode)
            {
                var reason = await response.Content.ReadAsStringAsync(cancellationToken);
                throw new HttpRequestException(
                    $"{(int)response.StatusCode} {reason[..Math.Min(reason.Length, LongestReason)]}", inner: null, response.StatusCode);
            }
        }
        catch
        {
            // The next one reads the authority's certificate again, which may have been replaced.
            Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _client?.Dispose();
        _client = null;
    }

    private async Task<string> ReadAsync(string name, CancellationToken cancellationToken) =>
        (await File.ReadAllTextAsync(Path.Combine(options.Value.Credentials, name), cancellationToken)).Trim();

    private HttpClient CreateClient()
    {
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        policy.CustomTrustStore.ImportFromPemFile(Path.Combine(options.Value.Credentials, "ca.crt"));
        var handler = new SocketsHttpHandler
        {
            UseProxy = false, AllowAutoRedirect = false, SslOptions = { CertificateChainPolicy = policy },
        };
        return new HttpClient(handler) { Timeout = _timeout };
    }
}
