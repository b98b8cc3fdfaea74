using System.Buffers;
using AgentPlatform.Messaging.Contracts;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace AgentPlatform.Api.Requests;

/// <summary>Reads request bodies into memory of their own, bounded whether or not their length is announced.</summary>
internal static class RequestBody
{
    /// <exception cref="InferenceException">413 if the body is larger than <paramref name="limit"/> bytes.</exception>
    public static async ValueTask<byte[]> ReadAsync(HttpContext context, int limit)
    {
        if (context.Request.ContentLength > limit)
        {
            throw TooLarge(limit);
        }

        // The server's own limit would otherwise decide first, and with another error.
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } serverLimit)
        {
            serverLimit.MaxRequestBodySize = null;
        }

        var reader = context.Request.BodyReader;
        while (true)
        {
            var read = await reader.ReadAsync(context.RequestAborted);
            if (read.Buffer.Length > limit)
            {
                reader.AdvanceTo(read.Buffer.End);
                throw TooLarge(limit);
            }

            if (read.IsCompleted)
            {
                var body = read.Buffer.ToArray();
                reader.AdvanceTo(read.Buffer.End);
                return body;
            }

            reader.AdvanceTo(read.Buffer.Start, read.Buffer.End);
        }
    }

    /// <summary>Whether the client announces JSON, or nothing.</summary>
    /// <exception cref="InferenceException">415 if it announces something else.</exception>
    public static void RequireJson(HttpRequest request)
    {
        if (!string.IsNullOrEmpty(request.ContentType) && !request.HasJsonContentType())
        {
            throw new InferenceException(new InferenceError(
                415, "invalid_request_error", $"The body must be JSON; its Content-Type is '{request.ContentType}'.", "unsupported_media_type"));
        }
    }

    private static InferenceException TooLarge(int limit) =>
        new(new InferenceError(413, "invalid_request_error", $"The body is larger than {limit} bytes.", "request_too_large"));
}
