using AgentPlatform.Inference;

namespace AgentPlatform.Api.Replay;

/// <summary>Why a client does not get a response on record.</summary>
internal static class ReplayErrors
{
    public static InferenceError KeyReused() => Conflict(
        "This idempotency key was used with another request; a key stands for one path, query and body.", "idempotency_key_reused",
        ReplayTerms.KeyHeader);

    public static InferenceError NotKept() => Conflict(
        "The request with this idempotency key was answered, but the response is too large to be kept; it is not run again.",
        "response_not_kept", ReplayTerms.KeyHeader);

    public static InferenceError NoRoom() =>
        InferenceError.Unavailable("Too many responses are on record for requests in progress.", retryAfterSeconds: 1);

    public static InferenceError ResumeMismatch() => Conflict(
        "The stream of this event answers another request; send the same path, query and body again.", "resume_mismatch",
        ReplayTerms.LastEventHeader);

    public static InferenceError StreamNotFound() => new(
        ErrorKind.NotFound, "There is no stream with this event here; it may have expired.", "stream_not_found",
        ReplayTerms.LastEventHeader);

    public static InferenceError StreamExpired() => new(
        ErrorKind.Gone, "The stream of this event is complete, but too large to be kept.", "stream_expired", ReplayTerms.LastEventHeader);

    /// <summary>Ends a stream on record that outgrew its limit.</summary>
    public static InferenceError TooLarge(int limit) => new(
        ErrorKind.Internal, $"The answer is larger than the {limit} bytes that are kept of one response; ask without " +
            $"'{ReplayTerms.KeyHeader}' and '{ReplayTerms.ResumeHeader}'.",
        "response_too_large");

    /// <summary>Ends a stream on record when all of them together have outgrown their limit.</summary>
    public static InferenceError OutOfRoom() =>
        InferenceError.Unavailable("The responses on record fill the memory that is set apart for them.", retryAfterSeconds: 1);

    public static InferenceException Invalid(string header, string rule) =>
        new(InferenceError.Invalid($"The header '{header}' {rule}.", header, "invalid_value"));

    private static InferenceError Conflict(string message, string code, string header) => new(ErrorKind.Conflict, message, code, header);
}
