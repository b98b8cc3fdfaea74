using AgentPlatform.Messaging.Broker;

namespace AgentPlatform.Tests.Messaging;

/// <summary>A broker that is away.</summary>
internal sealed class NoBroker : IControlSender, IReplySender
{
    public void Send(string topic, ReadOnlyMemory<byte> message)
    {
    }

    public Task<PublishOutcome> SendAsync(string address, ReadOnlyMemory<byte> frames) => Task.FromResult(PublishOutcome.Lost);
}
