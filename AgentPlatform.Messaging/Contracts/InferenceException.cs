namespace AgentPlatform.Messaging.Contracts;

/// <summary>A failure as OpenAI's error envelope names it, with the HTTP status that carries it.</summary>
/// <param name="Status">HTTP status code.</param>
/// <param name="Type">OpenAI's error type, such as <c>invalid_request_error</c> or <c>server_error</c>.</param>
/// <param name="Message">One sentence for a person.</param>
/// <param name="Code">Machine-readable code such as <c>model_not_found</c>.</param>
/// <param name="Param">The request's field at fault.</param>
/// <param name="RetryAfterSeconds">After how many seconds a retry makes sense.</param>
public sealed record InferenceError(
    int Status, string Type, string Message, string? Code = null, string? Param = null, int? RetryAfterSeconds = null)
{
    /// <summary>The code of <see cref="DeadlinePassed"/>.</summary>
    public const string DeadlineCode = "deadline_exceeded";

    /// <summary>400: the request itself is wrong.</summary>
    public static InferenceError Invalid(string message, string? param = null, string? code = null) =>
        new(400, "invalid_request_error", message, code, param);

    /// <summary>404: no such model.</summary>
    public static InferenceError ModelNotFound(string model) =>
        new(404, "invalid_request_error", $"The model '{model}' does not exist.", "model_not_found", "model");

    /// <summary>429: the model's queue is full.</summary>
    public static InferenceError Overloaded(string message, int retryAfterSeconds) =>
        new(429, "rate_limit_error", message, "overloaded", RetryAfterSeconds: retryAfterSeconds);

    /// <summary>503: something that the request needs is away for now.</summary>
    public static InferenceError Unavailable(string message, int retryAfterSeconds) =>
        new(503, "server_error", message, "unavailable", RetryAfterSeconds: retryAfterSeconds);

    /// <summary>504: the deadline passed.</summary>
    public static InferenceError DeadlinePassed() =>
        new(504, "server_error", "The request's deadline passed before its answer was complete.", DeadlineCode);

    /// <summary>502: the engine or a server behind it failed.</summary>
    public static InferenceError EngineFailed(string message) => new(502, "server_error", message, "engine_error");
}

/// <summary>A request failed for the reason in <see cref="Error"/>.</summary>
public sealed class InferenceException(InferenceError error, Exception? innerException = null)
    : Exception(error.Message, innerException)
{
    /// <summary>What the client is told.</summary>
    public InferenceError Error { get; } = error;
}
