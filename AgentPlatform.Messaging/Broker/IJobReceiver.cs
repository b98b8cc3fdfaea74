namespace AgentPlatform.Messaging.Broker;

/// <summary>What a worker takes jobs from.</summary>
/// <param name="Queue">Name of the queue; the lane beside it is meant too.</param>
/// <param name="Prefetch">How many jobs of either it holds at most.</param>
public sealed record JobSource(string Queue, ushort Prefetch);

/// <summary>Takes jobs from a queue while it is attached, over any number of connections.</summary>
/// <remarks>Safe for concurrent use.</remarks>
public interface IJobReceiver
{
    /// <summary>Whether the broker gives jobs to this process now.</summary>
    bool IsAttached { get; }

    /// <summary>
    /// Starts taking jobs: now if the broker is there, and again after each reconnect. A broker that goes away meanwhile is not a failure.
    /// </summary>
    Task AttachAsync(CancellationToken cancellationToken);

    /// <summary>Ends the connection, so that another one is made and everything on it set up anew.</summary>
    Task ReconnectAsync();

    /// <summary>Takes no further job; those already delivered stay this process's.</summary>
    Task DetachAsync(CancellationToken cancellationToken);
}

/// <summary>Gets the jobs that an <see cref="IJobReceiver"/> takes.</summary>
public interface IJobHandler
{
    /// <summary>Takes a message over, or settles it before the returned task ends.</summary>
    /// <param name="message">The message; its body is the handler's to keep.</param>
    /// <param name="settlement">The only way to settle it.</param>
    /// <param name="isRedelivered">Whether the broker gave it to somebody before.</param>
    /// <param name="lost">Cancelled when the broker takes the message back.</param>
    Task HandleAsync(BrokerMessage message, ISettlement settlement, bool isRedelivered, CancellationToken lost);
}

/// <summary>Tells the broker what became of one message that it gave out.</summary>
/// <remarks>None of it fails where the message is lost: it is not this process's any more then.</remarks>
public interface ISettlement
{
    /// <summary>It is done.</summary>
    Task AcknowledgeAsync();

    /// <summary>It is given back untouched; somebody else takes it.</summary>
    Task ReturnAsync();

    /// <summary>Nobody can do anything with it: the broker puts it among the dead jobs.</summary>
    Task RejectAsync();
}
