using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Runtime.CompilerServices;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Aspire.Hosting.Dcp;

/// <summary>Speaks to DCP's API server. Thread-safe.</summary>
internal sealed class DcpClient : IDisposable
{
    private const string Group = "apis/usvc-dev.developer.microsoft.com/v1";

    private readonly HttpClient _http;
    private readonly X509Certificate2 _authority;
    private readonly TimeProvider _time;

    public DcpClient(Uri server, byte[] authority, string token, TimeProvider time)
    {
        _authority = X509CertificateLoader.LoadCertificate(authority);
        var handler = new SocketsHttpHandler { SslOptions = new() { RemoteCertificateValidationCallback = (_, presented, _, _) => IsTrusted(presented) } };
        _http = new HttpClient(handler) { BaseAddress = server, Timeout = Timeout.InfiniteTimeSpan };
        _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
        _time = time;
    }

    public async Task CreateAsync<T>(string plural, T value, JsonTypeInfo<T> type, CancellationToken cancellationToken)
    {
        using var response = await _http.PostAsJsonAsync($"{Group}/{plural}", value, type, cancellationToken);
        await EnsureAsync(response, cancellationToken);
    }

    /// <summary>Tells a process to stop; DCP keeps the object.</summary>
    public async Task StopAsync(string plural, string name, CancellationToken cancellationToken)
    {
        using var content = JsonContent.Create([new JsonPatch("add", "/spec/stop", true)], DcpJson.Default.JsonPatchArray, new MediaTypeHeaderValue("application/json-patch+json"));
        using var response = await _http.PatchAsync($"{Group}/{plural}/{name}", content, cancellationToken);
        await EnsureAsync(response, cancellationToken);
    }

    /// <summary>Deletes an object, which ends its process, and waits until it is gone.</summary>
    public async Task DeleteAsync(string plural, string name, CancellationToken cancellationToken)
    {
        using (var response = await _http.DeleteAsync($"{Group}/{plural}/{name}", cancellationToken))
        {
            if (response.StatusCode != HttpStatusCode.NotFound)
            {
                await EnsureAsync(response, cancellationToken);
            }
        }

        while (true)
        {
            using var response = await _http.GetAsync($"{Group}/{plural}/{name}", cancellationToken);
            if (response.StatusCode == HttpStatusCode.NotFound)
            {
                return;
            }

            await Task.Delay(TimeSpan.FromMilliseconds(100), _time, cancellationToken);
        }
    }

    /// <summary>Every object of a kind as it is now, then every change; ends when the server ends.</summary>
    public async IAsyncEnumerable<WatchedChange<T>> WatchAsync<T>(
        string plural, JsonTypeInfo<WatchedChange<T>> type, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var response = await _http.GetAsync($"{Group}/{plural}?watch=true", HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        await EnsureAsync(response, cancellationToken);
        await using var body = await response.Content.ReadAsStreamAsync(cancellationToken);
        await foreach (var change in JsonSerializer.DeserializeAsyncEnumerable(body, type, topLevelValues: true, cancellationToken))
        {
            if (change is not null)
            {
                yield return change;
            }
        }
    }

    /// <summary>Lines that a process wrote, each after its time: <c>2026-11-23T12:08:14.130Z text</c>. Follows until the process ends.</summary>
    /// <param name="plural">Kind of the object.</param>
    /// <param name="name">Name of the object.</param>
    /// <param name="source"><c>stdout</c>, <c>stderr</c> or <c>system</c> (what DCP says about it).</param>
    /// <param name="follow">False ends at what is there now.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    public async IAsyncEnumerable<string> ReadLogAsync(
        string plural, string name, string source, bool follow, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var query = $"follow={(follow ? "true" : "false")}&timestamps=true&source={source}";
        using var response = await _http.GetAsync($"{Group}/{plural}/{name}/log?{query}", HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        if (!response.IsSuccessStatusCode)
        {
            yield break;
        }

        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(cancellationToken));
        while (await reader.ReadLineAsync(cancellationToken) is { } line)
        {
            yield return line;
        }
    }

    /// <summary>Ends every process, then the server itself; returns when the server is gone.</summary>
    public async Task ShutDownAsync(CancellationToken cancellationToken)
    {
        try
        {
            using var content = JsonContent.Create(
                new ExecutionDocument("Stopping", "Full"), DcpJson.Default.ExecutionDocument, new MediaTypeHeaderValue("application/merge-patch+json"));
            using (var response = await _http.PatchAsync("admin/execution", content, cancellationToken))
            {
                await EnsureAsync(response, cancellationToken);
            }

            while (true)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(100), _time, cancellationToken);
                using var response = await _http.GetAsync("admin/execution", cancellationToken);
            }
        }
        catch (HttpRequestException e) when (e.StatusCode is null)
        {
            // Nobody listens any more.
        }
    }

    public void Dispose()
    {
        _http.Dispose();
        _authority.Dispose();
    }

    /// <summary>The authority is made for this run and stands in the kubeconfig: nothing else is trusted, and no name needs to match.</summary>
    private bool IsTrusted(X509Certificate? presented)
    {
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.Add(_authority);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        return presented is X509Certificate2 certificate && chain.Build(certificate);
    }

    private static async Task EnsureAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        if (!response.IsSuccessStatusCode)
        {
            var text = await response.Content.ReadAsStringAsync(cancellationToken);
            throw new DistributedApplicationException($"DCP refused {response.RequestMessage!.Method} {response.RequestMessage.RequestUri!.AbsolutePath}: {text}");
        }
    }
}
