using System.Text.Json;
using System.Text.RegularExpressions;
using AgentPlatform.Inference.Json;
using Microsoft.Extensions.Logging;

namespace AgentPlatform.Inference.OpenAI;

/// <summary>
/// Says what a server's failure means for the client of this platform, who knows neither the server nor its key. What the server says of it
/// may tell of the account that the platform has there (its organization, its models, its limits), so it never goes to the client: the
/// client gets sentences of this platform, with the server's code and field where both are known to be harmless; the server's words are in
/// the log.
/// </summary>
/// <param name="logger">For what the server says.</param>
public sealed partial class UpstreamErrors(ILogger logger)
{
    private const int RetryAfter = 2;
    private const int MaxRetryAfter = 3600;

    // What OpenAI and servers like it say of a request; all of it is the client's own business.
    private static readonly HashSet<string> _harmlessCodes = new(StringComparer.Ordinal)
    {
        "context_length_exceeded", "content_filter", "content_policy_violation", "invalid_value", "invalid_type", "invalid_json",
        "unsupported_parameter", "unsupported_value", "unsupported_content", "unsupported_operation", "missing_required_parameter",
        "unknown_parameter", "empty_array",
        "string_above_max_length", "string_below_min_length", "array_above_max_length", "array_below_min_length", "integer_above_max_value",
        "integer_below_min_value", "decimal_above_max_value", "decimal_below_min_value", "invalid_function_parameters", "invalid_image",
        "invalid_image_url", "invalid_image_format", "invalid_base64", "image_too_large",
    };

    /// <summary>The meaning of a response that is not a success.</summary>
    public async Task<InferenceError> ToErrorAsync(HttpResponseMessage response, string model, CancellationToken cancellationToken)
    {
        var status = (int)response.StatusCode;
        var said = UpstreamMessage.Parse((await response.Content.ReadErrorAsync(cancellationToken)).Span);
        Log(model, status, said);
        return status switch
        {
            // The client knows the model by another name, which is right.
            400 or 422 when said.Param == "model" || said.Code == "model_not_found" => UnknownModel(model, status),

            // This platform never answers 422; for servers that do it is their 400.
            400 or 413 or 422 => Refused(said, status == 413 ? ErrorKind.TooLarge : ErrorKind.InvalidRequest),
            401 or 403 => InferenceError.EngineFailed(
                $"The server of model '{model}' refused the platform's API key ({status}); whoever runs the platform must set " +
                $"a valid one."),
            404 => UnknownModel(model, status),
            429 => InferenceError.Overloaded($"The server of model '{model}' is at its limit.", RetryAfterOf(response, 1)),
            408 or 409 or 425 or >= 500 =>
                InferenceError.Unavailable($"The server of model '{model}' answers {status}.", RetryAfterOf(response, RetryAfter)),
            _ => InferenceError.EngineFailed($"The server of model '{model}' answers {status}."),
        };
    }

    /// <summary>The meaning of an error inside of a stream.</summary>
    public InferenceError ToError(UpstreamMessage said, string model)
    {
        Log(model, status: 200, said);
        return InferenceError.EngineFailed($"The server of model '{model}' failed.");
    }

    /// <summary>The client's request is wrong, by what the server says of it.</summary>
    /// <param name="said">What it says.</param>
    /// <param name="kind">Whether it is wrong or too large.</param>
    public static InferenceError Refused(UpstreamMessage said, ErrorKind kind = ErrorKind.InvalidRequest)
    {
        var code = CodeOf(said);
        var field = FieldOf(said);
        var message = code == "context_length_exceeded"
            ? $"The messages are longer than the model's context allows{LengthOf(said)}. Shorten them."
            : field is not null ? $"The model's server does not take '{field}' as it is."
            : kind == ErrorKind.TooLarge ? "The request is too large for the model's server."
            : "The model's server refused the request.";
        return new InferenceError(kind, message, code, field);
    }

    /// <summary>The meaning of a failure of the connection or the answer's form; null if it is neither.</summary>
    public static InferenceError? ToError(Exception e, CancellationToken cancellationToken) => e switch
    {
        // The server never had the request, or hung up before it answered.
        HttpRequestException { HttpRequestError: not HttpRequestError.ResponseEnded } =>
            InferenceError.Unavailable("The model's server cannot be reached.", RetryAfter),
        HttpRequestException => InferenceError.Unavailable("The model's server hung up.", RetryAfter),
        InvalidDataException => InferenceError.EngineFailed($"The model's server sent more than can be taken: {e.Message}"),
        IOException => InferenceError.EngineFailed("The connection to the model's server broke before the answer was complete."),
        FormatException => InferenceError.EngineFailed("The model's server sent an answer that is not a chat completion."),

        // The client's connect timeout is a cancellation too, but nobody asked for it.
        OperationCanceledException when !cancellationToken.IsCancellationRequested =>
            InferenceError.Unavailable("The model's server does not take the connection.", RetryAfter),
        _ => null,
    };

    /// <summary>
    /// The error that an item of a <c>/batch</c> is; null if it is an answer. A client's mistake stays one; its status is not in the item,
    /// only its type.
    /// </summary>
    public InferenceError? OfItem(ReadOnlySpan<byte> item, string model)
    {
        var reader = new Utf8JsonReader(item, JsonLimits.Reader);
        try
        {
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
            {
                return InferenceError.EngineFailed("The agent sent an answer that is not a JSON object.");
            }

            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                var isError = reader.ValueTextEquals("error"u8);
                reader.Read();
                if (isError && reader.TokenType != JsonTokenType.Null)
                {
                    return ToItemError(UpstreamMessage.Parse(item), model);
                }

                reader.Skip();
            }

            return null;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // The latter is half of a surrogate pair in a name.
            return InferenceError.EngineFailed("The agent sent an answer that is not JSON.");
        }
    }

    private InferenceError ToItemError(UpstreamMessage said, string model)
    {
        switch (said.Type)
        {
            case "invalid_request_error":
                Log(model, status: 400, said);
                return Refused(said);
            case "rate_limit_error":
                Log(model, status: 429, said);
                return InferenceError.Overloaded($"The server of model '{model}' is at its limit.", retryAfterSeconds: 1);
            default:
                return ToError(said, model);
        }
    }

    private static InferenceError UnknownModel(string model, int status) =>
        InferenceError.EngineFailed($"The server of model '{model}' does not know it, or has no chat completions ({status}); whoever " +
            $"runs the platform must look at its settings.");

    /// <summary>
    /// OpenAI's code for a refusal, if it is known. llama.cpp and vLLM tell a prompt that is too long by type or message.
    /// </summary>
    private static string? CodeOf(UpstreamMessage said) =>
        said.Type == "exceed_context_size_error"
            || (said.Code is null or "400" && said.Message?.Contains("maximum context length", StringComparison.Ordinal) == true)
            ? "context_length_exceeded"
            : said.Code is { } code && _harmlessCodes.Contains(code) ? code : null;

    // vLLM: "This model's maximum context length is 512 tokens. …"; llama.cpp: "request (2412 tokens) exceeds the available context size
    // (512 tokens), …"
    private static string LengthOf(UpstreamMessage said) =>
        ContextLength().Match(said.Message ?? "") is { Success: true } found ? $", which is {found.Groups["tokens"].Value} tokens" : "";

    [GeneratedRegex(@"(?:maximum context length is |context size \()(?<tokens>[0-9]{1,9}) tokens", RegexOptions.CultureInvariant)]
    private static partial Regex ContextLength();

    // "messages[0].content", "tools.1.function.name": names and numbers, never an address, an account or a sentence.
    private static string? FieldOf(UpstreamMessage said) =>
        said.Param is [(>= 'a' and <= 'z') or (>= 'A' and <= 'Z'), ..] field && field.Length <= 100
            && field.All(static c => char.IsAsciiLetterOrDigit(c) || c is '_' or '.' or '[' or ']')
            ? field : null;

    /// <summary>After how many seconds a server wants to be asked again; <paramref name="otherwise"/> if it does not say.</summary>
    public static int RetryAfterOf(HttpResponseMessage response, int otherwise) =>
        response.Headers.RetryAfter?.Delta is { } delta ? (int)Math.Clamp(Math.Ceiling(delta.TotalSeconds), 1, MaxRetryAfter) : otherwise;

    /// <summary>
    /// Writes what a server says to the log: what it says of the platform's account to whoever runs it; the rest may quote the prompt, and
    /// is for debugging only.
    /// </summary>
    public void Log(string model, int status, UpstreamMessage said)
    {
        if (status is 401 or 403 or 404 or 429)
        {
            AccountRefused(logger, model, status, said.Code, said.Message);
        }
        else if (status is 400 or 413 or 422)
        {
            RequestRefused(logger, model, status, said.Code);
            Said(logger, model, said.Message);
        }
        else
        {
            ServerFailed(logger, model, status, said.Code);
            Said(logger, model, said.Message);
        }
    }

    [LoggerMessage(LogLevel.Warning, "The server of model '{Model}' answers {Status} (code {Code}): {Said}")]
    private static partial void AccountRefused(ILogger logger, string model, int status, string? code, string? said);

    [LoggerMessage(LogLevel.Information,
        "The server of model '{Model}' refuses a request with {Status} (code {Code}); what it says is logged at Debug")]
    private static partial void RequestRefused(ILogger logger, string model, int status, string? code);

    [LoggerMessage(LogLevel.Warning, "The server of model '{Model}' failed with {Status} (code {Code}); what it says is logged at Debug")]
    private static partial void ServerFailed(ILogger logger, string model, int status, string? code);

    [LoggerMessage(LogLevel.Debug, "The server of model '{Model}' says: {Said}")]
    private static partial void Said(ILogger logger, string model, string? said);
}

/// <summary>A server's own error where an answer was to come.</summary>
public sealed class UpstreamException(UpstreamMessage said) : Exception(said.Code)
{
    /// <summary>The server's words, which are for the log and not for clients.</summary>
    public UpstreamMessage Said => said;
}
