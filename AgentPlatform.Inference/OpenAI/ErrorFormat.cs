using System.Collections.Frozen;

namespace AgentPlatform.Inference.OpenAI;

/// <summary>How OpenAI's API says each kind of failure: by an HTTP status and the <c>type</c> in its error envelope.</summary>
/// <remarks>https://platform.openai.com/docs/guides/error-codes</remarks>
public static class ErrorFormat
{
    private static readonly FrozenDictionary<int, ErrorKind> _kinds = Enum.GetValues<ErrorKind>().ToFrozenDictionary(StatusOf);

    extension(InferenceError error)
    {
        /// <summary>The HTTP status that carries the error.</summary>
        public int Status => StatusOf(error.Kind);

        /// <summary>OpenAI's type of the error, such as <c>invalid_request_error</c>.</summary>
        public string Type => TypeOf(StatusOf(error.Kind));
    }

    /// <summary>The HTTP status of a kind.</summary>
    public static int StatusOf(ErrorKind kind) => kind switch
    {
        ErrorKind.InvalidRequest => 400,
        ErrorKind.NotFound => 404,
        ErrorKind.NotAllowed => 405,
        ErrorKind.TooSlow => 408,
        ErrorKind.Conflict => 409,
        ErrorKind.Gone => 410,
        ErrorKind.TooLarge => 413,
        ErrorKind.UnsupportedFormat => 415,
        ErrorKind.Overloaded => 429,
        ErrorKind.Internal => 500,
        ErrorKind.EngineFailed => 502,
        ErrorKind.Unavailable => 503,
        ErrorKind.DeadlinePassed => 504,
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, null),
    };

    /// <summary>The kind that a status stands for; the nearest one for a status that no kind has.</summary>
    public static ErrorKind KindOf(int status) =>
        _kinds.TryGetValue(status, out var kind) ? kind : status < 500 ? ErrorKind.InvalidRequest : ErrorKind.EngineFailed;

    /// <summary>OpenAI's type of an error with this status.</summary>
    public static string TypeOf(int status) => status switch
    {
        429 => "rate_limit_error",
        < 500 => "invalid_request_error",
        _ => "server_error",
    };
}
