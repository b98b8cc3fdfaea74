using Aspire.Hosting.ApplicationModel;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Aspire.Hosting.Health;

/// <summary>Healthy when an endpoint answers with the expected status within five seconds.</summary>
internal sealed class HttpHealthCheck(Func<EndpointReference> endpoint, string path, int statusCode, IHttpClientFactory clients) : IHealthCheck
{
    public const string Client = "aspire-health";

    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        if (endpoint().Annotation.Allocated is null)
        {
            return HealthCheckResult.Unhealthy("The endpoint is not allocated yet.");
        }

        var uri = new Uri(new Uri(endpoint().Url), path);
        try
        {
            using var client = clients.CreateClient(Client);
            using var response = await client.GetAsync(uri, cancellationToken);
            return (int)response.StatusCode == statusCode
                ? HealthCheckResult.Healthy()
                : HealthCheckResult.Unhealthy($"{uri} answered {(int)response.StatusCode} instead of {statusCode}.");
        }
        catch (Exception e) when (e is HttpRequestException or TaskCanceledException && !cancellationToken.IsCancellationRequested)
        {
            return HealthCheckResult.Unhealthy($"{uri} does not answer: {e.Message}");
        }
    }
}

internal static class HttpHealthCheckExtensions
{
    public static IResourceBuilder<T> AddHttpHealthCheck<T>(this IResourceBuilder<T> builder, string path, int statusCode, string? endpointName)
        where T : IResourceWithEndpoints
    {
        var resource = builder.Resource;
        var key = $"{resource.Name}_{endpointName ?? "http"}_{path}_{statusCode}_check";
        var services = builder.ApplicationBuilder.Services;
        services.AddHttpClient(HttpHealthCheck.Client).ConfigureHttpClient(client => client.Timeout = TimeSpan.FromSeconds(5));
        services.AddHealthChecks().Add(new HealthCheckRegistration(
            key, provider => new HttpHealthCheck(Endpoint, path, statusCode, provider.GetRequiredService<IHttpClientFactory>()), failureStatus: null, tags: null));
        return builder.WithHealthCheck(key);

        // Endpoints may be added after the check.
        EndpointReference Endpoint() => new(resource, endpointName
            ?? resource.Annotations.OfType<EndpointAnnotation>().FirstOrDefault(e => e.UriScheme == "http")?.Name
            ?? throw new InvalidOperationException($"The resource '{resource.Name}' has a health check over HTTP and no HTTP endpoint."));
    }
}
