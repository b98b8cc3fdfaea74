using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Diagnostics.HealthChecks;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using OpenTelemetry;
using OpenTelemetry.Context.Propagation;
using OpenTelemetry.Metrics;
using OpenTelemetry.Trace;

namespace AgentPlatform.ServiceDefaults;

/// <summary>What every service of the platform has: OpenTelemetry over OTLP, health endpoints, service discovery.</summary>
public static class ServiceDefaultsExtensions
{
    /// <summary>Health: every registered check. People and tools ask it, and Kubernetes until a process has come up.</summary>
    public const string HealthPath = "/health";

    /// <summary>
    /// Readiness: the checks that concern this process alone. Kubernetes sends traffic only while it answers 200; what all processes of a
    /// kind share, such as the broker, would take all of them away at once, and clients would meet nobody who says when to come again.
    /// </summary>
    public const string ReadinessPath = "/ready";

    /// <summary>Tag of checks of what all processes of a kind share.</summary>
    public const string SharedTag = "shared";

    /// <summary>Liveness: only checks tagged <c>live</c>. Kubernetes restarts the container when it fails.</summary>
    public const string LivenessPath = "/alive";

    /// <summary>
    /// Adds telemetry, health checks and service discovery. HTTP clients get service discovery but no retries: most calls of
    /// this platform start inference, and only the caller knows whether one may be repeated (docs/decisions/0013).
    /// </summary>
    public static TBuilder AddServiceDefaults<TBuilder>(this TBuilder builder) where TBuilder : IHostApplicationBuilder
    {
        builder.Services.TryAddSingleton(TimeProvider.System);
        builder.AddTelemetry();
        builder.Services.AddSingleton<HealthLog>();
        builder.Logging.AddFilter(HealthLog.ReplacedCategory, LogLevel.None);
        builder.Services.AddHealthChecks().AddCheck("self", () => HealthCheckResult.Healthy(), ["live"]);
        builder.Services.AddServiceDiscovery();
        builder.Services.ConfigureHttpClientDefaults(client => client.AddServiceDiscovery());
        return builder;
    }

    /// <summary>
    /// Maps <see cref="HealthPath"/>, <see cref="ReadinessPath"/> and <see cref="LivenessPath"/> in every environment, since probes need
    /// them in production.
    /// </summary>
    public static WebApplication MapDefaultEndpoints(this WebApplication app)
    {
        app.MapHealthChecks(HealthPath, new HealthCheckOptions { ResponseWriter = HealthLog.AnswerAsync });
        app.MapHealthChecks(ReadinessPath,
            new HealthCheckOptions { Predicate = check => !check.Tags.Contains(SharedTag), ResponseWriter = HealthLog.AnswerAsync });
        app.MapHealthChecks(LivenessPath,
            new HealthCheckOptions { Predicate = check => check.Tags.Contains("live"), ResponseWriter = HealthLog.AnswerAsync });
        return app;
    }

    private static void AddTelemetry<TBuilder>(this TBuilder builder) where TBuilder : IHostApplicationBuilder
    {
        // Without a collector, spans and log records would be made for nobody, on the path of every request.
        if (string.IsNullOrWhiteSpace(builder.Configuration["OTEL_EXPORTER_OTLP_ENDPOINT"]))
        {
            return;
        }

        // Which callers are believed and which servers are told is decided once, by .NET's own propagators: OpenTelemetry's default would
        // read and write baggage beside them.
        Sdk.SetDefaultTextMapPropagator(new TraceContextPropagator());
        builder.Logging.AddOpenTelemetry(logging =>
        {
            logging.IncludeFormattedMessage = true;
            logging.IncludeScopes = true;
        });

        builder.Services.AddOpenTelemetry()
            .UseOtlpExporter()
            .WithMetrics(metrics => metrics
                .AddAspNetCoreInstrumentation()
                .AddHttpClientInstrumentation()
                .AddRuntimeInstrumentation()
                .AddMeter("AgentPlatform.*"))
            .WithTracing(tracing => tracing
                .AddSource("AgentPlatform.*")
                .AddAspNetCoreInstrumentation(options => options.Filter = context =>
                    !context.Request.Path.StartsWithSegments(HealthPath, StringComparison.OrdinalIgnoreCase)
                    && !context.Request.Path.StartsWithSegments(ReadinessPath, StringComparison.OrdinalIgnoreCase)
                    && !context.Request.Path.StartsWithSegments(LivenessPath, StringComparison.OrdinalIgnoreCase))
                .AddHttpClientInstrumentation());
    }
}
