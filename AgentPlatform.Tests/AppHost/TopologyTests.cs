using AgentPlatform.AppHost.Broker;
using Aspire.Hosting.ApplicationModel;
using RabbitMQ.Client;

namespace AgentPlatform.Tests.AppHost;

/// <summary>The resources of the application, and their connections to each other.</summary>
[Trait("Category", "AppHost")]
[Collection(ApplicationGroup.Name)]
public class TopologyTests(ApplicationFixture fixture)
{
    [Fact]
    public void Resources_OfTheTopology_AreGatewayBrokerAndPools()
    {
        var model = fixture.Application.Model;

        Assert.Equal(
            [("gateway", 1), ("sentiment", 1), ("tiny-chat", 2)],
            model.Resources.OfType<ProjectResource>().Select(project => (project.Name, project.GetReplicaCount())).Order());
        Assert.Single(model.Resources.OfType<IResourceWithConnectionString>(), resource => resource.Name == "messaging");
    }

    [Fact]
    public async Task Queue_OfAPool_HasAllItsReplicasAsConsumers()
    {
        var factory = new ConnectionFactory { Uri = new Uri(await fixture.Application.ConnectionStringAsync("messaging")) };
        await using var connection = await factory.CreateConnectionAsync();
        await using var channel = await connection.CreateChannelAsync();

        // A resource counts as started when one of its replicas does.
        await Wait.UntilAsync(async () => (await channel.QueueDeclarePassiveAsync(QueueNames.Job("tiny-chat", "1"))).ConsumerCount == 2);
    }
}
