using System.Diagnostics;
using AgentPlatform.Api.Catalogue;
using AgentPlatform.Api.Errors;
using AgentPlatform.Api.Replay;
using AgentPlatform.Api.Requests;
using AgentPlatform.Inference;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Cors.Infrastructure;
using Microsoft.AspNetCore.HttpOverrides;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Microsoft.Net.Http.Headers;

namespace AgentPlatform.Api.Edge;

/// <summary>What holds for every request before its route does: hosts, origins, proxies, traces, methods.</summary>
internal static class EdgeExtensions
{
    public static void AddEdge(this IServiceCollection services)
    {
        services.AddOptions<EdgeOptions>().BindConfiguration(EdgeOptions.Section).ValidateOnStart();
        services.AddSingleton<IValidateOptions<EdgeOptions>, EdgeOptionsValidator>();
        services.AddSingleton<DistributedContextPropagator, EdgePropagator>(); // After the server's own, so this one counts.
        services.AddCors();
        services.AddOptions<CorsOptions>().Configure<IOptions<EdgeOptions>>(static (cors, edge) => cors.AddDefaultPolicy(policy => policy
            .SetIsOriginAllowed(edge.Value.AllowsOrigin)
            .AllowAnyMethod()
            .AllowAnyHeader() // SDKs send many of their own (x-stainless-*). Nothing here goes by cookies, and credentials are not allowed.
            .WithExposedHeaders(
                RequestIdentity.Header, CatalogueExtensions.VersionHeader, ReplayTerms.ReplayedHeader, RetryAdvice.Header,
                HeaderNames.RetryAfter)
            .SetPreflightMaxAge(TimeSpan.FromHours(1))));

        // After the framework's own: ASPNETCORE_FORWARDEDHEADERS_ENABLED would believe everybody.
        services.AddOptions<ForwardedHeadersOptions>().PostConfigure<IOptions<EdgeOptions>>(static (forwarded, edge) =>
        {
            forwarded.ForwardedHeaders = edge.Value.TrustedProxies.Count == 0
                ? ForwardedHeaders.None
                : ForwardedHeaders.XForwardedFor | ForwardedHeaders.XForwardedProto;
            forwarded.KnownProxies.Clear();
            forwarded.KnownIPNetworks.Clear();
            foreach (var network in edge.Value.ProxyNetworks)
            {
                forwarded.KnownIPNetworks.Add(network);
            }
        });
    }

    /// <summary>Comes before routing, and after what writes errors.</summary>
    public static void UseEdge(this WebApplication app)
    {
        var edge = app.Services.GetRequiredService<IOptions<EdgeOptions>>().Value;
        if (edge.TrustedProxies.Count > 0)
        {
            app.UseForwardedHeaders();
        }

        app.Use(next => context =>
        {
            if (!edge.AllowsHost(context.Request.Host.Host.Trim('[', ']')))
            {
                throw new InferenceException(InferenceError.Invalid(
                    $"This service is not addressed as '{context.Request.Host.Host}'; whoever runs it can allow the name in " +
                    $"{EdgeOptions.Section}:{nameof(EdgeOptions.AllowedHosts)}.",
                    HeaderNames.Host, "host_not_allowed"));
            }

            if (!edge.TrustTraceContext)
            {
                LinkToCaller(context.Request.Headers.TraceParent, context.Request.Headers.TraceState);
            }

            return next(context);
        });
        app.UseHead();
        app.UseRouting();
        app.UseCors();
    }

    private static void LinkToCaller(string? traceParent, string? traceState)
    {
        if (Activity.Current is { } activity && ActivityContext.TryParse(traceParent, traceState, isRemote: true, out var caller))
        {
            activity.AddLink(new ActivityLink(caller));
        }
    }
}
