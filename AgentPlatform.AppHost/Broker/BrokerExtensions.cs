using AgentPlatform.AppHost.Containers;
using AgentPlatform.AppHost.Startup;
using Microsoft.Extensions.Configuration;

namespace AgentPlatform.AppHost.Broker;

internal static class BrokerExtensions
{
    // The image that AddRabbitMQ uses.
    private const string Image = "docker.io/library/rabbitmq:4.3";

    /// <summary>
    /// Adds the broker: RabbitMQ as a container if the application is being published, otherwise according to
    /// <see cref="BrokerOptions.Mode"/>.
    /// </summary>
    /// <exception cref="StartupException">No broker is available; the message names the remedies.</exception>
    public static IResourceBuilder<IResourceWithConnectionString> AddBroker(this IDistributedApplicationBuilder builder, string name)
    {
        if (builder.ExecutionContext.IsPublishMode)
        {
            return builder.AddRabbitMQ(name);
        }

        var options = builder.ReadOptions(BrokerOptions.Section, new BrokerOptionsValidator());
        var isConfigured = builder.Configuration.GetConnectionString(name) is { Length: > 0 };
        if (options.Is("external") && !isConfigured)
        {
            throw new StartupException(
                $"Broker:Mode is external: set ConnectionStrings:{name} to the address of the broker, amqp://user:password@host:5672.");
        }

        if (options.Is("external") || (options.Is("auto") && isConfigured))
        {
            return builder.AddExternalBroker(name);
        }

        if (options.Is("container"))
        {
            ContainerEngine.EnsureBroker(Image);
            return builder.AddBrokerContainer(name, options.Lifetime);
        }

        if (options.Is("auto") && ContainerEngine.Has(Image))
        {
            return builder.AddBrokerContainer(name, options.Lifetime);
        }

        if (options.Lifetime == ContainerLifetime.Persistent)
        {
            throw new StartupException(
                "Broker:Lifetime is Persistent, which only a container can be: set Broker:Mode to container, or remove Broker:Lifetime.");
        }

        var server = LocalServer.Find() ?? throw new StartupException(
            "No RabbitMQ is available: install it (apt-get install rabbitmq-server, as ./run.sh does), start Docker or Podman, "
            + $"or set ConnectionStrings:{name} to the address of a broker.");
        return builder.AddLocalBroker(name, server, NodeFolder.Create(Path.GetFullPath(options.DataFolder, builder.AppHostDirectory)));
    }

    /// <summary>Adds RabbitMQ as a container. The password of a persistent one is kept in the application host's user secrets.</summary>
    internal static IResourceBuilder<RabbitMQServerResource> AddBrokerContainer(
        this IDistributedApplicationBuilder builder, string name, ContainerLifetime lifetime) =>
        builder.AddRabbitMQ(name).WithLifetime(lifetime);

    private static IResourceBuilder<IResourceWithConnectionString> AddExternalBroker(
        this IDistributedApplicationBuilder builder, string name)
    {
        var broker = builder.AddConnectionString(name);
        return broker.WithHealthCheck(builder.AddBrokerHealthCheck(broker.Resource));
    }
}
