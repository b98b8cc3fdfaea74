namespace AgentPlatform.Messaging.Contracts;

/// <summary>What a part of an answer is. The numbers are on the wire (<see cref="Frame"/>); never reuse one.</summary>
public enum ReplyKind : byte
{
    /// <summary>A frame that cannot be read. Never on the wire.</summary>
    Unreadable = 0,

    /// <summary>The engine began; payload on the wire: a <see cref="StartedNote"/> as JSON. Says nothing of success.</summary>
    Started = 1,

    /// <summary>
    /// A piece of a streamed answer; payload: a JSON object with the members of an OpenAI chunk other than
    /// <c>id</c>, <c>object</c>, <c>created</c>, <c>model</c> and <c>usage</c>, which the HTTP surface writes itself.
    /// Example: <c>{"choices":[{"index":0,"delta":{"content":"Hi"},"finish_reason":null}]}</c>
    /// </summary>
    Delta = 2,

    /// <summary>
    /// The whole answer and its end. Chat: a JSON object with the members of an OpenAI completion other than <c>id</c>,
    /// <c>object</c>, <c>created</c> and <c>model</c> (<c>usage</c> included). Analyze: the answer itself.
    /// </summary>
    Result = 3,

    /// <summary>The good end of a streamed answer; payload: OpenAI's <c>usage</c> object, or empty if the engine counts no tokens.</summary>
    End = 4,

    /// <summary>The request failed; payload: an <see cref="ErrorNote"/> as JSON. Only on the wire: between objects it is an <see cref="InferenceException"/>.</summary>
    Error = 5,

    /// <summary>The worker has the request and is alive, though it has nothing to send. Only on the wire.</summary>
    Alive = 6,

    /// <summary>A worker asks whether it is to work on a request that somebody may have begun; payload: a <see cref="ClaimNote"/> as JSON. Only on the wire.</summary>
    Claim = 7,

    /// <summary>The worker stops and gives the request back in good order; another one goes on. Only on the wire.</summary>
    Returned = 8,
}

/// <summary>A part of an answer, without its address.</summary>
/// <param name="Kind">What the payload is.</param>
/// <param name="Payload">UTF-8; valid until the next part is asked for.</param>
/// <param name="Trail">
/// What another engine of this kind needs, together with the trails of all parts before, to go on after this part
/// (<see cref="PartialAnswer"/>); only that kind of engine can read it. At most 65,535 bytes; valid as long as the payload.
/// </param>
public readonly record struct ReplyPart(ReplyKind Kind, ReadOnlyMemory<byte> Payload, ReadOnlyMemory<byte> Trail = default)
{
    /// <summary>Whether nothing follows this part.</summary>
    public bool IsLast => Kind is ReplyKind.Result or ReplyKind.End or ReplyKind.Error;
}
