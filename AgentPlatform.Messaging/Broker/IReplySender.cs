namespace AgentPlatform.Messaging.Broker;

/// <summary>Sends frames from a worker to the reply address of a gateway.</summary>
/// <remarks>Safe for concurrent use.</remarks>
public interface IReplySender
{
    /// <summary>Sends a batch of frames; <see cref="PublishOutcome.Returned"/> if the address is gone.</summary>
    /// <param name="address">A gateway's address.</param>
    /// <param name="frames">Must stay as it is until the broker has answered.</param>
    Task<PublishOutcome> SendAsync(string address, ReadOnlyMemory<byte> frames);
}

/// <summary>A gateway's end of the way that answers take.</summary>
public interface IReplyHandler
{
    /// <summary>Where workers send the answers.</summary>
    string Address { get; }

    /// <summary>The address is lost with the part of the broker that had it: takes another one.</summary>
    void ChangeAddress();

    /// <summary>A batch of frames came. It is valid only until this returns, which must be soon: the next one waits.</summary>
    void Receive(ReadOnlyMemory<byte> frames);
}
