using System.Net;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Aspire.Hosting.Dashboard;

/// <summary>Serves the dashboard's questions on the loopback address, to callers that know the key.</summary>
internal sealed class DashboardServiceHost : IAsyncDisposable
{
    private const string KeyHeader = "x-resource-service-api-key";

    private readonly WebApplication _app;

    private DashboardServiceHost(WebApplication app) => _app = app;

    public static async Task<DashboardServiceHost> StartAsync(IConfiguration configuration, DashboardData data, ILoggerFactory loggers, CancellationToken cancellationToken)
    {
        var key = Encoding.UTF8.GetBytes(DashboardSettings.ResourceServiceApiKey(configuration));
        var port = new Uri(DashboardSettings.ResourceServiceUrl(configuration)).Port;

        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
            kestrel.Listen(IPAddress.Loopback, port, listen => listen.Protocols = HttpProtocols.Http2));
        builder.Services.AddRoutingCore();
        builder.Services.AddSingleton(loggers);
        builder.Services.AddGrpc();
        builder.Services.AddSingleton(data);

        var app = builder.Build();
        app.Use((context, next) =>
        {
            if (CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(context.Request.Headers[KeyHeader].ToString()), key))
            {
                return next(context);
            }

            context.Response.StatusCode = StatusCodes.Status401Unauthorized;
            return Task.CompletedTask;
        });
        app.UseRouting();
        app.MapGrpcService<DashboardService>();
        await app.StartAsync(cancellationToken);
        return new DashboardServiceHost(app);
    }

    /// <summary>Ends at once: the dashboard's streams never end by themselves.</summary>
    public async ValueTask DisposeAsync()
    {
        using var now = new CancellationTokenSource();
        await now.CancelAsync();
        await _app.StopAsync(now.Token);
        await _app.DisposeAsync();
    }
}
