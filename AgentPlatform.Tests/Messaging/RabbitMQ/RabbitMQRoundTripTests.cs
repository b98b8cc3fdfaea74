using AgentPlatform.Tests.Broker;
using Microsoft.Extensions.DependencyInjection;

namespace AgentPlatform.Tests.Messaging.RabbitMQ;

[Trait("Category", "Broker")]
[Collection(BrokerGroup.Name)]
public sealed class RabbitMQRoundTripTests(RabbitMQServer server) : RoundTripConformance
{
    protected override void AddBroker(IServiceCollection services) => Side.Connect(server)(services);
}
