namespace AgentPlatform.Messaging.Contracts;

/// <summary>What a part of an answer is. The numbers are on the wire (<see cref="Frame"/>); never reuse one.</summary>
public enum ReplyKind : byte
{
    /// <summary>A worker took the request; payload: a <see cref="StartedNote"/> as JSON. Says nothing of success.</summary>
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

    /// <summary>The request failed; payload: an <see cref="InferenceError"/> as JSON. Only on the wire: between objects it is an <see cref="InferenceException"/>.</summary>
    Error = 5,
}

/// <summary>A part of an answer, without its address. <paramref name="Payload"/> is valid until the next part is asked for.</summary>
public readonly record struct ReplyPart(ReplyKind Kind, ReadOnlyMemory<byte> Payload)
{
    /// <summary>Whether nothing follows this part.</summary>
    public bool IsLast => Kind is ReplyKind.Result or ReplyKind.End or ReplyKind.Error;
}
