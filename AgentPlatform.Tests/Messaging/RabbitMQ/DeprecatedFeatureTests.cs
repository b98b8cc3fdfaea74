using AgentPlatform.Testing.Broker;
using AgentPlatform.Tests.Broker;
using RabbitMQ.Client.Exceptions;

namespace AgentPlatform.Tests.Messaging.RabbitMQ;

/// <summary>
/// All tests of the tier run on a broker that refuses what RabbitMQ has deprecated, so what the platform declares is none of it.
/// </summary>
[Trait("Category", "Broker")]
[Collection(BrokerGroup.Name)]
public sealed class DeprecatedFeatureTests(RabbitMQServer server)
{
    [NewerBrokerFact]
    public async Task The_broker_refuses_what_RabbitMQ_has_deprecated()
    {
        await using var connection = await server.ConnectAsync();
        await using var channel = await connection.CreateChannelAsync();
        var refusal = await Assert.ThrowsAsync<OperationInterruptedException>(
            () => channel.QueueDeclareAsync("transient", durable: false, exclusive: false, autoDelete: false));
        Assert.Contains("deprecated", refusal.ShutdownReason!.ReplyText, StringComparison.Ordinal);
    }
}

/// <summary>A test of a server that can refuse what is deprecated, left out with an older one.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class NewerBrokerFactAttribute : FactAttribute
{
    public NewerBrokerFactAttribute()
    {
        if (RabbitMQNode.ServerVersion < RabbitMQNode.KnowsDeprecated)
        {
            Skip =
                $"RabbitMQ {RabbitMQNode.ServerVersion} cannot refuse what is deprecated; AGENTPLATFORM_RABBITMQ_ROOT names a newer one.";
        }
    }
}
