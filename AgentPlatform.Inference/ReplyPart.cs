namespace AgentPlatform.Inference;

/// <summary>What a part of an answer is.</summary>
public enum ReplyKind : byte
{
    /// <summary>The engine began; no payload. Says nothing of success.</summary>
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

    /// <summary>
    /// The good end of a streamed answer; payload: OpenAI's <c>usage</c> object, or empty if the engine counts no tokens.
    /// </summary>
    End = 4,
}

/// <summary>A part of an answer.</summary>
/// <param name="Kind">What the payload is.</param>
/// <param name="Payload">UTF-8; valid until the next part is asked for.</param>
/// <param name="ResumeState">
/// What another engine of this kind needs, together with that of all parts before, to go on after this part
/// (<see cref="PartialAnswer"/>); only that kind of engine can read it. At most 65,535 bytes; valid as long as the payload.
/// </param>
public readonly record struct ReplyPart(ReplyKind Kind, ReadOnlyMemory<byte> Payload, ReadOnlyMemory<byte> ResumeState = default)
{
    /// <summary>Whether nothing follows this part.</summary>
    public bool IsLast => Kind is ReplyKind.Result or ReplyKind.End;
}
