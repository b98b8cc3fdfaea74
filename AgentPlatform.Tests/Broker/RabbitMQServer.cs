using AgentPlatform.Testing.Broker;

namespace AgentPlatform.Tests.Broker;

/// <summary>The node that the tests of a collection share.</summary>
public sealed class RabbitMQServer : RabbitMQNode, IAsyncLifetime
{
    Task IAsyncLifetime.InitializeAsync() => StartAsync();

    Task IAsyncLifetime.DisposeAsync() => DisposeAsync().AsTask();
}

/// <summary>Tests that need a broker share one; they run one after another.</summary>
[CollectionDefinition(Name)]
public sealed class BrokerGroup : ICollectionFixture<RabbitMQServer>
{
    /// <summary>The collection's name.</summary>
    public const string Name = "Broker";
}
