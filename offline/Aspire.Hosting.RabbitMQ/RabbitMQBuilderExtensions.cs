using Aspire.Hosting.ApplicationModel;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;

namespace Aspire.Hosting;

/// <summary>RabbitMQ servers.</summary>
public static class RabbitMQBuilderExtensions
{
    private const int ContainerPort = 5672;

    /// <summary>Adds a RabbitMQ container with the user guest and a generated password.</summary>
    public static IResourceBuilder<RabbitMQServerResource> AddRabbitMQ(this IDistributedApplicationBuilder builder, string name)
    {
        var password = ParameterResourceBuilderExtensions.CreateDefaultPasswordParameter(builder, $"{name}-password", special: false);
        var server = new RabbitMQServerResource(name, password);
        var key = $"{name}_check";
        builder.Services.AddKeyedSingleton(key, (_, _) => new RabbitMQHealthCheck(server));
        builder.Services.AddHealthChecks().Add(new HealthCheckRegistration(
            key, services => services.GetRequiredKeyedService<RabbitMQHealthCheck>(key), failureStatus: null, tags: null));
        return builder.AddResource(server)
            .WithEndpoint(targetPort: ContainerPort, name: RabbitMQServerResource.EndpointName)
            .WithAnnotation(new ContainerImageAnnotation("docker.io", "library/rabbitmq", "4.3"))
            .WithEnvironment("RABBITMQ_DEFAULT_USER", RabbitMQServerResource.UserName)
            .WithEnvironment(context => context.EnvironmentVariables["RABBITMQ_DEFAULT_PASS"] = password)
            .WithHealthCheck(key);
    }

    /// <summary>Healthy while a connection is open. One check runs at a time.</summary>
    private sealed class RabbitMQHealthCheck(RabbitMQServerResource server) : IHealthCheck, IAsyncDisposable
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
                var address = await ((IResourceWithConnectionString)server).GetConnectionStringAsync(cancellationToken);
                _connection = await new ConnectionFactory { Uri = new Uri(address!), AutomaticRecoveryEnabled = false }.CreateConnectionAsync(cancellationToken);
                return HealthCheckResult.Healthy();
            }
            catch (BrokerUnreachableException e)
            {
                return HealthCheckResult.Unhealthy(e.Message, e);
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
}
