using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;

namespace AgentPlatform.AppHost.Broker;

/// <summary>
/// Healthy while a connection to the broker is open; RabbitMQ accepts connections only once it has started completely. Not thread-safe: the
/// health check service runs one check at a time.
/// </summary>
internal sealed class BrokerHealthCheck(IResourceWithConnectionString broker) : IHealthCheck, IAsyncDisposable
{
    private IConnection? _connection;

    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        if (_connection is { IsOpen: true })
        {
            return HealthCheckResult.Healthy();
        }

        await DisposeAsync();
        try
        {
            var address = await broker.GetConnectionStringAsync(cancellationToken);
            var factory = new ConnectionFactory
            {
                Uri = new Uri(address!),
                AutomaticRecoveryEnabled = false,
                ClientProvidedName = "apphost-health",
            };
            _connection = await factory.CreateConnectionAsync(cancellationToken);
            return HealthCheckResult.Healthy();
        }
        catch (BrokerUnreachableException e)
        {
            return HealthCheckResult.Unhealthy(e.InnerException?.Message ?? e.Message);
        }
        catch (UriFormatException e)
        {
            return HealthCheckResult.Unhealthy(
                $"ConnectionStrings:{broker.Name} is not an address such as amqp://user:password@host:5672: {e.Message}");
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_connection is { } connection)
        {
            _connection = null;
            await connection.DisposeAsync();
        }
    }
}

internal static class BrokerHealthCheckExtensions
{
    /// <summary>Registers the health check; returns its key.</summary>
    public static string AddBrokerHealthCheck(this IDistributedApplicationBuilder builder, IResourceWithConnectionString broker)
    {
        var key = $"{broker.Name}_check";
        builder.Services.AddKeyedSingleton(key, (_, _) => new BrokerHealthCheck(broker));
        builder.Services.AddHealthChecks().Add(new HealthCheckRegistration(
            key, services => services.GetRequiredKeyedService<BrokerHealthCheck>(key), failureStatus: null, tags: null));
        return key;
    }
}
