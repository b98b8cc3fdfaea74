using AgentPlatform.Api.Limits;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace AgentPlatform.Api.Connections;

/// <summary>What the server itself sees to on every connection.</summary>
internal static class ServerLimitsExtensions
{
    /// <summary>
    /// Ends connections whose client sends or reads too slowly: until then they hold memory, and an answer its place in the engine.
    /// </summary>
    public static void AddServerLimits(this IServiceCollection services) =>
        services.AddOptions<KestrelServerOptions>().Configure<IOptions<InferenceApiOptions>>(static (server, api) =>
        {
            var rate = new MinDataRate(api.Value.MinDataRate, api.Value.StallTimeout);
            (server.Limits.MinRequestBodyDataRate, server.Limits.MinResponseDataRate) = (rate, rate);
            server.Limits.MaxRequestBodySize = null; // RequestBodies bounds them, with an error that says how.
            server.AllowTruncation();
        });
}
