using System.Net.Sockets;
using Aspire.RabbitMQ.Client;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;

namespace Microsoft.Extensions.Hosting;

/// <summary>Stand-in for the package Aspire.RabbitMQ.Client.</summary>
public static class AspireRabbitMQExtensions
{
    private const string Section = "Aspire:RabbitMQ:Client";

    /// <summary>
    /// Registers an <see cref="IConnectionFactory"/> for the connection string <paramref name="connectionName"/>, and an <see cref="IConnection"/>
    /// that is opened when it is first asked for. A missing connection string leaves the factory's own defaults.
    /// </summary>
    public static void AddRabbitMQClient(
        this IHostApplicationBuilder builder, string connectionName,
        Action<RabbitMQClientSettings>? configureSettings = null, Action<ConnectionFactory>? configureConnectionFactory = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentException.ThrowIfNullOrEmpty(connectionName);

        // Named sections win over the common one, as in the package.
        var common = builder.Configuration.GetSection(Section);
        var named = common.GetSection(connectionName);
        var settings = new RabbitMQClientSettings();
        Bind(common);
        Bind(named);
        settings.ConnectionString = builder.Configuration.GetConnectionString(connectionName) ?? settings.ConnectionString;
        configureSettings?.Invoke(settings);

        builder.Services.AddSingleton<IConnectionFactory>(_ =>
        {
            var factory = new ConnectionFactory();
            common.GetSection("ConnectionFactory").Bind(factory);
            named.GetSection("ConnectionFactory").Bind(factory);
            if (!string.IsNullOrEmpty(settings.ConnectionString))
            {
                factory.Uri = new Uri(settings.ConnectionString);
            }

            configureConnectionFactory?.Invoke(factory);
            return factory;
        });
        builder.Services.AddSingleton(provider =>
            Connect(provider.GetRequiredService<IConnectionFactory>(), settings.MaxConnectRetryCount, provider.GetService<TimeProvider>() ?? TimeProvider.System));

        if (!settings.DisableTracing)
        {
            builder.Services.AddOpenTelemetry().WithTracing(tracing => tracing.AddSource("RabbitMQ.Client.*"));
        }

        if (!settings.DisableHealthChecks)
        {
            builder.Services.AddHealthChecks().Add(new HealthCheckRegistration(
                "RabbitMQ.Client", provider => new ConnectionHealth(provider.GetRequiredService<IConnection>()), failureStatus: null, tags: null));
        }

        void Bind(IConfigurationSection section) => section.Bind(settings, options => options.BindNonPublicProperties = true);
    }

    // A dependency injection factory cannot be asynchronous; the package blocks here too.
    private static IConnection Connect(IConnectionFactory factory, int retries, TimeProvider time)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return factory.CreateConnectionAsync().GetAwaiter().GetResult();
            }
            catch (Exception e) when (e is SocketException or BrokerUnreachableException && attempt <= retries)
            {
                Task.Delay(TimeSpan.FromSeconds(Math.Pow(2, attempt)), time).GetAwaiter().GetResult();
            }
        }
    }

    private sealed class ConnectionHealth(IConnection connection) : IHealthCheck
    {
        public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
            Task.FromResult(connection.IsOpen
                ? HealthCheckResult.Healthy()
                : new HealthCheckResult(context.Registration.FailureStatus, "The connection to RabbitMQ is closed."));
    }
}
