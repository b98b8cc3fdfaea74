using AgentPlatform.Messaging.InMemory;
using Microsoft.Extensions.DependencyInjection;

namespace AgentPlatform.Tests.Messaging.InMemory;

public sealed class InMemoryRoundTripTests : RoundTripConformance, IDisposable
{
    private readonly InMemoryBroker _broker = new(TimeProvider.System);

    public void Dispose() => _broker.Dispose();

    protected override void AddBroker(IServiceCollection services) => services.AddInMemoryBroker(_broker);
}
