using AgentPlatform.Tests.Broker;
using Microsoft.Extensions.DependencyInjection;

namespace AgentPlatform.Tests.Messaging.RabbitMQ;

[Trait("Category", "Broker")]
[Collection(BrokerGroup.Name)]
public sealed class RabbitMQBrokerTests(RabbitMQServer server) : BrokerConformance
{
    protected override void AddBroker(IServiceCollection services) => MessagingHost.Connect(server)(services);
}
