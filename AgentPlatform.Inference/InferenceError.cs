namespace AgentPlatform.Inference;

/// <summary>
/// What kind of failure an <see cref="InferenceError"/> is. How a protocol says it, such as by an HTTP status, is the protocol's own.
/// </summary>
public enum ErrorKind
{
    /// <summary>The request itself is wrong.</summary>
    InvalidRequest = 1,

    /// <summary>There is nothing of that name.</summary>
    NotFound,

    /// <summary>What is asked for cannot be done to this thing.</summary>
    NotAllowed,

    /// <summary>The client took too long to send its request.</summary>
    TooSlow,

    /// <summary>The request contradicts an earlier one.</summary>
    Conflict,

    /// <summary>It was there once and is no longer kept.</summary>
    Gone,

    /// <summary>The request is larger than what is taken.</summary>
    TooLarge,

    /// <summary>The request is in a format that is not understood.</summary>
    UnsupportedFormat,

    /// <summary>There is more to do than can be done in time.</summary>
    Overloaded,

    /// <summary>The platform itself failed.</summary>
    Internal,

    /// <summary>The engine, or a server behind it, failed.</summary>
    EngineFailed,

    /// <summary>Something that the request needs is away for now.</summary>
    Unavailable,

    /// <summary>The request's time is over.</summary>
    DeadlinePassed,
}

/// <summary>Why a request failed, as its client is told.</summary>
/// <param name="Kind">What kind of failure.</param>
/// <param name="Message">One sentence for a person.</param>
/// <param name="Code">Machine-readable code such as <c>model_not_found</c>.</param>
/// <param name="Param">The request's field at fault.</param>
/// <param name="RetryAfterSeconds">After how many seconds a retry makes sense.</param>
public sealed record InferenceError(
    ErrorKind Kind, string Message, string? Code = null, string? Param = null, int? RetryAfterSeconds = null)
{
    /// <summary>The request itself is wrong.</summary>
    public static InferenceError Invalid(string message, string? param = null, string? code = null) =>
        new(ErrorKind.InvalidRequest, message, code, param);

    /// <summary>No such model.</summary>
    public static InferenceError ModelNotFound(string model) =>
        new(ErrorKind.NotFound, $"The model '{model}' does not exist.", "model_not_found", "model");

    /// <summary>The model's queue is full.</summary>
    public static InferenceError Overloaded(string message, int retryAfterSeconds) =>
        new(ErrorKind.Overloaded, message, "overloaded", RetryAfterSeconds: retryAfterSeconds);

    /// <summary>Something that the request needs is away for now.</summary>
    public static InferenceError Unavailable(string message, int retryAfterSeconds) =>
        new(ErrorKind.Unavailable, message, "unavailable", RetryAfterSeconds: retryAfterSeconds);

    /// <summary>The deadline passed.</summary>
    public static InferenceError DeadlinePassed() =>
        new(ErrorKind.DeadlinePassed, "The request's deadline passed before its answer was complete.", "deadline_exceeded");

    /// <summary>The engine or a server behind it failed.</summary>
    public static InferenceError EngineFailed(string message) => new(ErrorKind.EngineFailed, message, "engine_error");
}
