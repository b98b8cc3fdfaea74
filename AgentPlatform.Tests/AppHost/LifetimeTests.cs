using AgentPlatform.AppHost.Broker;
using AgentPlatform.AppHost.Pools;
using AgentPlatform.AppHost.Startup;
using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;

namespace AgentPlatform.Tests.AppHost;

/// <summary>Containers of a local run stop with it, or keep running if the configuration says so.</summary>
public sealed class LifetimeTests
{
    [Theory]
    [InlineData(ContainerLifetime.Persistent, "--Pools:llama:Lifetime=persistent")]
    [InlineData(ContainerLifetime.Session, "--Pools:other:Lifetime=persistent")]
    [InlineData(ContainerLifetime.Session)]
    public void ModelServer_Lives_AsItsPoolSays(ContainerLifetime expected, params string[] arguments)
    {
        var builder = DistributedApplication.CreateBuilder(arguments);
        var gateway = builder.AddProject<Projects.AgentPlatform_Gateway>("gateway");
        var pools = new ModelPools(builder, gateway, builder.AddRabbitMQ("messaging")) { HasContainers = () => true };

        pools.AddVllm("llama", "meta-llama/Llama-3.1-8B-Instruct");

        Assert.Equal(expected, LifetimeOf(builder.Resources.Single(resource => resource.Name == "llama-server")));
    }

    [Theory]
    [InlineData(ContainerLifetime.Persistent)]
    [InlineData(ContainerLifetime.Session)]
    public void BrokerContainer_Lives_AsItIsTold(ContainerLifetime lifetime) =>
        Assert.Equal(lifetime, LifetimeOf(DistributedApplication.CreateBuilder([]).AddBrokerContainer("messaging", lifetime).Resource));

    [Fact]
    public void Broker_PersistentWithoutAContainer_IsRefusedWithTheRemedies()
    {
        var builder = DistributedApplication.CreateBuilder(["--Broker:Mode=local", "--Broker:Lifetime=persistent"]);

        var e = Assert.Throws<StartupException>(() => builder.AddBroker("messaging"));

        Assert.Equal(
            "Broker:Lifetime is Persistent, which only a container can be: set Broker:Mode to container, or remove Broker:Lifetime.",
            e.Message);
    }

    private static ContainerLifetime LifetimeOf(IResource resource) =>
        resource.Annotations.OfType<ContainerLifetimeAnnotation>().Single().Lifetime;
}
