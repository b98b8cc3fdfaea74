using System.Text.Json;
using AgentPlatform.Messaging.Contracts;

namespace AgentPlatform.Api.OpenAI;

/// <summary>Says what a server's failure means for the client of this platform, who knows neither the server nor its key.</summary>
/// <param name="endpoint">The server.</param>
internal sealed class UpstreamErrors(OpenAIEndpoint endpoint)
{
    private const int RetryAfter = 2;
    private const int MaxRetryAfter = 3600;

    /// <summary>The meaning of a response that is no success.</summary>
    public async Task<InferenceError> DescribeAsync(HttpResponseMessage response, string model, CancellationToken cancellationToken)
    {
        var status = (int)response.StatusCode;
        var said = UpstreamMessage.Parse(await response.Content.ReadAsByteArrayAsync(cancellationToken));
        var because = said.Message is { Length: > 0 } message ? $": {message}" : ".";
        return status switch
        {
            400 or 413 => new InferenceError(status, "invalid_request_error", said.Message ?? "The model's server refused the request.", CodeOf(said), said.Param),

            // This platform never answers 422; for servers that do it is their 400.
            422 => new InferenceError(400, "invalid_request_error", said.Message ?? "The model's server refused the request.", CodeOf(said), said.Param),
            401 or 403 => InferenceError.EngineFailed(
                $"The server of model '{model}' refused the platform's API key ({status}); whoever runs the platform must set a valid one."),
            404 => InferenceError.EngineFailed($"The server of model '{model}' knows no model '{endpoint.UpstreamModel}' or no chat completions (404){because}"),
            429 => InferenceError.Overloaded($"The server of model '{model}' is at its limit{because}", RetryAfterOf(response, 1)),
            408 or 409 or 425 or >= 500 => InferenceError.Unavailable($"The server of model '{model}' answers {status}{because}", RetryAfterOf(response, RetryAfter)),
            _ => InferenceError.EngineFailed($"The server of model '{model}' answers {status}{because}"),
        };
    }

    /// <summary>The meaning of a failure of the connection or the answer's form; null if it is neither.</summary>
    public static InferenceError? Describe(Exception e, CancellationToken cancellationToken) => e switch
    {
        // The server never had the request, or hung up before it answered.
        HttpRequestException { HttpRequestError: not HttpRequestError.ResponseEnded } =>
            InferenceError.Unavailable("The model's server cannot be reached.", RetryAfter),
        HttpRequestException => InferenceError.Unavailable("The model's server hung up.", RetryAfter),
        IOException or InvalidDataException => InferenceError.EngineFailed("The connection to the model's server broke before the answer was complete."),
        FormatException => InferenceError.EngineFailed("The model's server sent an answer that is no chat completion."),

        // The client's connect timeout is a cancellation too, but nobody asked for it.
        OperationCanceledException when !cancellationToken.IsCancellationRequested =>
            InferenceError.Unavailable("The model's server does not take the connection.", RetryAfter),
        _ => null,
    };

    /// <summary>The error that an item of a <c>/batch</c> is; null if it is an answer. A client's mistake stays one; its status is not in the item, only its type.</summary>
    public static InferenceError? OfItem(ReadOnlySpan<byte> item)
    {
        var reader = new Utf8JsonReader(item);
        try
        {
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
            {
                return InferenceError.EngineFailed("The agent sent an answer that is no JSON object.");
            }

            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                var isError = reader.ValueTextEquals("error"u8);
                reader.Read();
                if (isError && reader.TokenType != JsonTokenType.Null)
                {
                    return Describe(UpstreamMessage.Parse(item));
                }

                reader.Skip();
            }

            return null;
        }
        catch (JsonException)
        {
            return InferenceError.EngineFailed("The agent sent an answer that is no JSON.");
        }
    }

    private static InferenceError Describe(UpstreamMessage said)
    {
        var message = said.Message ?? "The agent failed without saying why.";
        return said.Type switch
        {
            "invalid_request_error" => InferenceError.Invalid(message, said.Param, said.Code),
            "rate_limit_error" => InferenceError.Overloaded(message, retryAfterSeconds: 1),
            _ => InferenceError.EngineFailed(message),
        };
    }

    /// <summary>OpenAI's code for a refusal. llama.cpp and vLLM repeat the status there, and tell a prompt that is too long by type or message.</summary>
    private static string? CodeOf(UpstreamMessage said) => said switch
    {
        { Type: "exceed_context_size_error" } or { Code: null or "400" } when IsTooLong(said) => "context_length_exceeded",
        { Code: [>= '0' and <= '9', ..] } => null,
        _ => said.Code,
    };

    private static bool IsTooLong(UpstreamMessage said) =>
        said.Type == "exceed_context_size_error" || said.Message?.Contains("maximum context length", StringComparison.Ordinal) == true;

    private static int RetryAfterOf(HttpResponseMessage response, int otherwise) =>
        response.Headers.RetryAfter?.Delta is { } delta ? (int)Math.Clamp(Math.Ceiling(delta.TotalSeconds), 1, MaxRetryAfter) : otherwise;
}
