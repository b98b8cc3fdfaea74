using System.Diagnostics;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace AgentPlatform.Inference.OpenAI;

/// <summary>Registers the HTTP client that reaches model servers and agents.</summary>
public static class UpstreamClientExtensions
{
    /// <summary>Name of the HTTP client for model servers and agents.</summary>
    public const string UpstreamClient = "upstream";

    /// <summary>Key of the setting that sends trace context to model servers and agents.</summary>
    public const string TraceUpstream = "Upstream:TraceContext";

    /// <summary>
    /// The HTTP client that reaches model servers. Without a timeout: requests have deadlines. Redirects are not followed, since a chat
    /// is not to be sent to somebody else.
    /// </summary>
    public static IHttpClientBuilder AddUpstreamClient(this IServiceCollection services, string name = UpstreamClient) => services
        .AddHttpClient(name, static client => client.Timeout = Timeout.InfiniteTimeSpan)
        .ConfigurePrimaryHttpMessageHandler(static provider => new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            ActivityHeadersPropagator = provider.GetService<IConfiguration>()?.GetValue<bool>(TraceUpstream) == true
                ? DistributedContextPropagator.Current
                : DistributedContextPropagator.CreateNoOutputPropagator(), // The server may be anybody's.
            ConnectTimeout = TimeSpan.FromSeconds(5),
            PooledConnectionLifetime = TimeSpan.FromMinutes(2), // Finds new addresses of a name.

            // Long enough for what follows the last event; a stream that is left in its middle is to end on the server too.
            ResponseDrainTimeout = TimeSpan.FromMilliseconds(50),
        })
        .SetHandlerLifetime(Timeout.InfiniteTimeSpan);
}
