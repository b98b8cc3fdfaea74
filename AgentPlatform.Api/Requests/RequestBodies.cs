using AgentPlatform.Messaging.Contracts;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Options;

namespace AgentPlatform.Api.Requests;

/// <summary>
/// Reads request bodies into memory of their own, each bounded whether or not its length is announced, and all that are held at a time
/// bounded together.
/// </summary>
/// <remarks>Safe for concurrent use.</remarks>
internal sealed class RequestBodies(IOptions<InferenceApiOptions> options)
{
    private const int UnknownLength = 4 * 1024;

    private readonly int _maxSize = options.Value.MaxBodySize;
    private readonly long _maxTotal = options.Value.MaxTotalBodySize;
    private long _held;

    /// <summary>Bytes that are held for requests in progress.</summary>
    public long Held => Interlocked.Read(ref _held);

    /// <summary>Reads the body; disposing of it gives back its share of what may be held. A body that was read for this request before is the same one.</summary>
    /// <exception cref="InferenceException">413 if the body is too large, 503 if all together are.</exception>
    public async ValueTask<RequestBody> ReadAsync(HttpContext context)
    {
        if (context.Features.Get<RequestBody>() is { } read)
        {
            return read;
        }

        if (context.Request.ContentLength > _maxSize)
        {
            throw TooLarge();
        }

        // The server's own limit would otherwise decide first, and with another error.
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } serverLimit)
        {
            serverLimit.MaxRequestBodySize = null;
        }

        var body = new RequestBody(this);
        try
        {
            // An announced body is refused before any of it is read.
            body.Reserve((int?)context.Request.ContentLength ?? UnknownLength);
            await FillAsync(body, context);
            return body;
        }
        catch
        {
            body.Dispose();
            throw;
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

    /// <exception cref="InferenceException">503: too much is held.</exception>
    internal void Take(int bytes)
    {
        if (Interlocked.Add(ref _held, bytes) > _maxTotal)
        {
            Give(bytes);
            throw new InferenceException(InferenceError.Unavailable("The requests in progress fill the memory that is set apart for their bodies.", retryAfterSeconds: 1));
        }
    }

    internal void Give(int bytes) => Interlocked.Add(ref _held, -bytes);

    private async ValueTask FillAsync(RequestBody body, HttpContext context)
    {
        var reader = context.Request.BodyReader;
        while (true)
        {
            var read = await reader.ReadAsync(context.RequestAborted);
            try
            {
                if (body.Length + read.Buffer.Length > _maxSize)
                {
                    throw TooLarge();
                }

                body.Append(read.Buffer, _maxSize);
            }
            finally
            {
                reader.AdvanceTo(read.Buffer.End);
            }

            if (read.IsCompleted)
            {
                return;
            }
        }
    }

    private InferenceException TooLarge() =>
        new(new InferenceError(413, "invalid_request_error", $"The body is larger than {_maxSize} bytes.", "request_too_large"));
}
