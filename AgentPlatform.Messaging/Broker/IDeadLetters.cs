namespace AgentPlatform.Messaging.Broker;

/// <summary>The queue of jobs that could not be done.</summary>
/// <remarks>Safe for concurrent use.</remarks>
public interface IDeadLetters
{
    /// <summary>Puts a message there; only <see cref="PublishOutcome.Confirmed"/> says that it is there.</summary>
    Task<PublishOutcome> PutAsync(BrokerMessage message);

    /// <summary>Waits for its turn and opens the queue: one reader at a time sees all of it.</summary>
    /// <exception cref="TimeoutException">Somebody else has been looking at it for too long.</exception>
    /// <exception cref="BrokerException">The broker cannot be reached.</exception>
    Task<IDeadReader> OpenAsync(CancellationToken cancellationToken);
}

/// <summary>
/// A look into the queue of dead jobs. Every message that was read stays with this reader until it is removed or given back, at the latest
/// when the reader is disposed of or its process dies.
/// </summary>
/// <remarks>Not for concurrent use. Everything fails with a <see cref="BrokerException"/> once the connection is broken.</remarks>
public interface IDeadReader : IAsyncDisposable
{
    /// <summary>All that is in the queue, in no particular order; each is held from then on.</summary>
    IAsyncEnumerable<HeldMessage> ReadAsync(CancellationToken cancellationToken);

    /// <summary>Gives everything back but these, and its turn to the next reader. Nothing is read after it.</summary>
    Task KeepOnlyAsync(IReadOnlyCollection<HeldMessage> kept, CancellationToken cancellationToken);

    /// <summary>Removes a held message for good.</summary>
    Task RemoveAsync(HeldMessage message, CancellationToken cancellationToken);
}

/// <summary>A message while a reader holds it.</summary>
/// <param name="Message">The message.</param>
/// <param name="Tag">What its reader knows it by.</param>
public sealed record HeldMessage(BrokerMessage Message, ulong Tag);
