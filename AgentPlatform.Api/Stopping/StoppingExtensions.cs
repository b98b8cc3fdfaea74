using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace AgentPlatform.Api.Stopping;

/// <summary>Lets a process end without cutting off what it has begun.</summary>
internal static class StoppingExtensions
{
    // What the host needs beyond the drain, to send the last errors and to close its connections.
    private static readonly TimeSpan _margin = TimeSpan.FromSeconds(5);

    /// <summary>Adds the clock of the end, a readiness that is false from its beginning on, and a host that waits for it.</summary>
    public static void AddStopping(this IServiceCollection services)
    {
        services.AddOptions<StoppingOptions>().BindConfiguration(StoppingOptions.Section).ValidateOnStart();
        services.AddSingleton<IValidateOptions<StoppingOptions>, StoppingOptionsValidator>();
        services.AddSingleton<DrainClock>();
        services.AddHostedService<Listening>();
        services.AddHealthChecks().AddCheck<StoppingReadiness>("stopping");

        // The host must not cut off what the drain lets run.
        services.AddOptions<HostOptions>().Configure<IOptions<StoppingOptions>>(static (host, stopping) =>
            host.ShutdownTimeout = stopping.Value.DrainTimeout + _margin);
    }

    /// <summary>
    /// Answers requests that come during the drain like any other, and has their connections closed after it (<c>Connection: close</c>, in
    /// HTTP/2 GOAWAY), so that the client's next request finds another instance instead of a connection that is closed at that moment.
    /// </summary>
    public static void UseStopping(this WebApplication app)
    {
        var drain = app.Services.GetRequiredService<DrainClock>();
        app.Use(next => context =>
        {
            if (drain.Began.IsCancellationRequested)
            {
                context.Features.Get<IConnectionLifetimeNotificationFeature>()?.RequestClose();
            }

            return next(context);
        });
    }
}
