using AgentPlatform.Inference;
using AgentPlatform.Messaging.Wire;

namespace AgentPlatform.Messaging.Dead;

/// <summary>A message in <see cref="Broker.QueueNames.Dead"/>: a job that could not be done, or something that never was one.</summary>
public sealed record DeadJob
{
    /// <summary>The request's id, or one made of the body where the message has none.</summary>
    public required string Id { get; init; }

    /// <summary>The queue that it was in.</summary>
    public string? Queue { get; init; }

    /// <summary>
    /// Why it is here, in one word: <c>poison</c>, <c>malformed</c>, or the broker's <c>delivery_limit</c>, <c>rejected</c>,
    /// <c>expired</c>.
    /// </summary>
    public required string Reason { get; init; }

    /// <summary>The same in a sentence; null where the word says it all.</summary>
    public string? Detail { get; init; }

    /// <summary>Whether the broker gave it up, and not a gateway.</summary>
    public bool IsByBroker { get; init; }

    /// <summary>Since when; the broker tells it in whole seconds.</summary>
    public DateTimeOffset? DiedAt { get; init; }

    /// <summary>What its gateway saw of its attempts; empty if the broker gave it up.</summary>
    public IReadOnlyList<DeadAttempt> Attempts { get; init; } = [];

    /// <summary>The model that was asked.</summary>
    public string? Model { get; init; }

    /// <summary>The model's version.</summary>
    public string? Version { get; init; }

    /// <summary>What was asked; null if the message is not a job.</summary>
    public Operation? Operation { get; init; }

    /// <summary>Whether the answer was to be streamed.</summary>
    public bool Stream { get; init; }

    /// <summary>Who asked.</summary>
    public string? Tenant { get; init; }

    /// <summary>Until when its client waited.</summary>
    public DateTimeOffset? Deadline { get; init; }

    /// <summary>W3C trace context of the request, to find its trace.</summary>
    public string? TraceParent { get; init; }

    /// <summary>What the client sent.</summary>
    public ReadOnlyMemory<byte> Body { get; init; }

    /// <summary>The request, to be run again under an id of its own: workers may remember that the old one was given up.</summary>
    /// <exception cref="FormatException">It is not a job.</exception>
    public InferenceRequest ToRequest(Guid requestId, DateTimeOffset deadline) => new()
    {
        RequestId = requestId,
        Model = Model ?? throw new FormatException("The message names no model."),
        Operation = Operation ?? throw new FormatException("The message does not say what is asked of the model."),
        Stream = Stream,
        Deadline = deadline,
        Tenant = Tenant,
        Body = Body,
    };
}
