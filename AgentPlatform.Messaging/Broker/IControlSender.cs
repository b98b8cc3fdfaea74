namespace AgentPlatform.Messaging.Broker;

/// <summary>Tells all workers something, or one of them, without a guarantee that it arrives.</summary>
/// <remarks>Safe for concurrent use.</remarks>
public interface IControlSender
{
    /// <summary>Sends a message to whoever listens to <paramref name="topic"/>; does not wait.</summary>
    void Send(string topic, ReadOnlyMemory<byte> message);
}

/// <summary>A worker's end of it.</summary>
public interface IControlHandler
{
    /// <summary>Topics of the messages that this worker is to be given.</summary>
    IReadOnlyList<string> Topics { get; }

    /// <summary>A message came. It is valid only until this returns, which must be soon.</summary>
    void Receive(string topic, ReadOnlySpan<byte> message);
}
