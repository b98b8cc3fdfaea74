using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Yarp.ReverseProxy.Configuration;

namespace AgentPlatform.Benchmarks.Peers;

/// <summary>YARP as a plain reverse proxy to the server that <c>BENCHMARK_UPSTREAM</c> names.</summary>
internal static class YarpProxy
{
    public const string UpstreamVariable = "BENCHMARK_UPSTREAM";

    public static Task RunAsync(string[] args)
    {
        var upstream = Environment.GetEnvironmentVariable(UpstreamVariable)!;
        var builder = WebApplication.CreateSlimBuilder(args);
        builder.Logging.ClearProviders();
        builder.Services.AddReverseProxy().LoadFromMemory(
            [new RouteConfig { RouteId = "all", ClusterId = "upstream", Match = new RouteMatch { Path = "{**rest}" } }],
            [
                new ClusterConfig
                {
                    ClusterId = "upstream",
                    Destinations = new Dictionary<string, DestinationConfig> { ["one"] = new() { Address = upstream } },
                },
            ]);
        var app = builder.Build();
        app.MapGet("/health", () => "ok");
        app.MapReverseProxy();
        return app.RunAsync();
    }
}
