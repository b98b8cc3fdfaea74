using System.Buffers;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using AgentPlatform.Inference;
using AgentPlatform.Inference.OpenAI;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;

namespace AgentPlatform.Api.Errors;

/// <summary>
/// Writes failures: problem details for the agent routes, and OpenAI's envelope, <c>{"error":{"message","type","param","code"}}</c>, for
/// <c>/v1</c> and every other path, since a client with a wrong base address must be able to read what it is told.
/// </summary>
internal static class ErrorResponse
{
    // Made for JSON bodies and SSE, never for HTML, so that a message reads as it was written.
    private static readonly JsonWriterOptions _relaxed = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Writes a whole response. Nothing of another one may have been sent.</summary>
    public static Task WriteAsync(HttpContext context, InferenceError error) => WriteAsync(context, error, error.Status);

    /// <summary>Writes a whole response with a status that is not the one of the error's kind.</summary>
    public static async Task WriteAsync(HttpContext context, InferenceError error, int status)
    {
        var response = context.Response;
        response.StatusCode = status;
        if (error.RetryAfterSeconds is { } seconds)
        {
            response.Headers.RetryAfter = seconds.ToString(CultureInfo.InvariantCulture);
        }

        if (RetryAdvice.IsFutile(status, error.Code))
        {
            response.Headers[RetryAdvice.Header] = "false";
        }

        var body = new ArrayBufferWriter<byte>();
        if (ApiPaths.IsAgentRoute(context.Request.Path))
        {
            response.ContentType = "application/problem+json";
            WriteProblem(body, error, status);
        }
        else
        {
            response.ContentType = "application/json";
            WriteEnvelope(body, error);
        }

        response.ContentLength = body.WrittenCount;
        await response.Body.WriteAsync(body.WrittenMemory, context.RequestAborted);
    }

    /// <summary>Writes the envelope.</summary>
    public static void WriteEnvelope(IBufferWriter<byte> output, InferenceError error)
    {
        using var json = new Utf8JsonWriter(output, _relaxed);
        json.WriteStartObject();
        json.WriteStartObject("error");
        json.WriteString("message", error.Message);
        json.WriteString("type", error.Type);
        json.WriteString("param", error.Param);
        json.WriteString("code", error.Code);
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static void WriteProblem(IBufferWriter<byte> output, InferenceError error, int status)
    {
        using var json = new Utf8JsonWriter(output, _relaxed);
        json.WriteStartObject();
        json.WriteString("title", ReasonPhrases.GetReasonPhrase(status));
        json.WriteNumber("status", status);
        json.WriteString("detail", error.Message);
        json.WriteString("code", error.Code);
        json.WriteString("param", error.Param);
        json.WriteEndObject();
    }
}
