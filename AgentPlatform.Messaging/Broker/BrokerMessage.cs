namespace AgentPlatform.Messaging.Broker;

/// <summary>A message as every broker can carry it.</summary>
public sealed record BrokerMessage
{
    /// <summary>Identifies what it is about; null if it does not say.</summary>
    public string? Id { get; init; }

    /// <summary>What kind of message it is.</summary>
    public string? Type { get; init; }

    /// <summary>Address for the answer.</summary>
    public string? ReplyTo { get; init; }

    /// <summary>What else is said beside the body: strings, numbers (<see cref="long"/> where they are read) and booleans.</summary>
    public IReadOnlyDictionary<string, object?> Headers { get; init; } = new Dictionary<string, object?>();

    /// <summary>The content. A sender must leave it as it is until the broker has answered.</summary>
    public required ReadOnlyMemory<byte> Body { get; init; }

    /// <summary>After how long in its queue nobody needs it any more; null if it never expires.</summary>
    public TimeSpan? Expiration { get; init; }

    /// <summary>What the broker says of a message that it gave up itself; null for all others.</summary>
    public BrokerDeath? Death { get; init; }
}

/// <summary>Why a broker gave a message up.</summary>
/// <param name="Reason">The broker's word: <c>delivery_limit</c>, <c>rejected</c>, <c>expired</c>.</param>
/// <param name="Queue">Where the message was.</param>
/// <param name="At">When.</param>
public sealed record BrokerDeath(string? Reason, string? Queue, DateTimeOffset? At);
