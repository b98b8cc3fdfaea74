namespace AgentPlatform.Inference;

/// <summary>One validated request on its way to a model, independent of the transport that carries it.</summary>
public sealed record InferenceRequest
{
    /// <summary>Identifies the request on every hop; also the <c>x-request-id</c> that the client sees.</summary>
    public required Guid RequestId { get; init; }

    /// <summary>Name of the model as the catalogue knows it.</summary>
    public required string Model { get; init; }

    /// <summary>The version of the model that answers; null if it has none.</summary>
    public string? Version { get; init; }

    /// <summary>What is asked of the model.</summary>
    public required Operation Operation { get; init; }

    /// <summary>Whether the answer comes as <see cref="ReplyKind.Delta"/> parts; otherwise as one <see cref="ReplyKind.Result"/>.</summary>
    public bool Stream { get; init; }

    /// <summary>
    /// When the client stops waiting, by the clock of the process that took its request: a date that stays the same wherever the request is
    /// run. Other machines' clocks differ, so how much time is left is <see cref="TimeLimit"/>'s to say.
    /// </summary>
    public required DateTimeOffset Deadline { get; init; }

    /// <summary>How long the client goes on waiting. Work on an expired request is waste and is refused with 504.</summary>
    public TimeLimit TimeLimit { get; init; }

    /// <summary>Who pays for the request; null while the gateway knows no tenants.</summary>
    public string? Tenant { get; init; }

    /// <summary>The conversation that it is a turn of, as its client names it; null if it does not say. Not sent to workers.</summary>
    public string? ConversationId { get; init; }

    /// <summary>
    /// What another worker has answered already, so that only the rest is asked for; null for a whole answer. Engines that continue answers
    /// look at it.
    /// </summary>
    public PartialAnswer? PartialAnswer { get; init; }

    /// <summary>
    /// Whether workers were lost over it, so that it must not share an engine with other requests until it has shown that it does no harm.
    /// </summary>
    public bool IsSuspect { get; init; }

    /// <summary>UTF-8 JSON exactly as the client sent it, so that fields this platform does not know survive.</summary>
    public required ReadOnlyMemory<byte> Body { get; init; }
}
