namespace AgentPlatform.Api.Errors;

/// <summary>
/// Which failures the same request would meet again. OpenAI's clients repeat every 408, 409, 429 and 5xx unless the header says otherwise.
/// </summary>
internal static class RetryAdvice
{
    /// <summary><c>false</c>: a retry cannot help.</summary>
    public const string Header = "x-should-retry";

    /// <summary>
    /// Whether a retry cannot help: the request is at fault, its time is up, which a retry would spend a second time, it ends the workers
    /// that try it, or its answer is larger than what is kept.
    /// </summary>
    public static bool IsFutile(int status, string? code) => status is >= 400 and < 500
        ? status is not (408 or 425 or 429)
        : status is 501 or 504 or 505 || code is "poison" or "response_too_large";
}
