using System.IO.Pipelines;
using AgentPlatform.Api.Limits;
using AgentPlatform.Inference;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Options;
using Microsoft.Net.Http.Headers;

namespace AgentPlatform.Api.Requests;

/// <summary>
/// Reads request bodies into memory of their own, each bounded in size and time, and all that are held at a time bounded together. What
/// counts is what has arrived: an announcement takes nobody's room.
/// </summary>
/// <remarks>Safe for concurrent use.</remarks>
internal sealed class RequestBodies(IOptions<InferenceApiOptions> options, TimeProvider time)
{
    private readonly int _maxSize = options.Value.MaxBodySize;
    private readonly TimeSpan _timeout = options.Value.BodyTimeout;
    private readonly BodyRoom _room = new(options.Value);

    /// <summary>Bytes that are held for requests in progress.</summary>
    public long Held => _room.Held;

    /// <summary>
    /// Reads the body; disposing of it gives back its share of what may be held. A body that was read for this request before is the same
    /// one.
    /// </summary>
    /// <exception cref="InferenceException">400 if it is not what its encoding says, 408 if it comes too slowly, 413 if it is too large,
    /// 415 if it is not JSON or has an encoding that is not understood, 503 if all together are too large.</exception>
    public async ValueTask<RequestBody> ReadAsync(HttpContext context)
    {
        if (context.Features.Get<RequestBody>() is { } read)
        {
            return read;
        }

        RequireJson(context);
        RequireKnownEncoding(context);
        if (context.Request.ContentLength is { } announced)
        {
            if (announced > _maxSize)
            {
                throw TooLarge();
            }

            _room.RequireFree(announced); // It would be refused half-way.
        }

        using var timer = new CancellationTokenSource(_timeout, time);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(timer.Token, context.RequestAborted);
        var body = new RequestBody(_room, _maxSize);
        try
        {
            await FillAsync(body, context.Request.BodyReader, limit.Token);
            body = Decode(body, context.Request.Headers.ContentEncoding.ToString());
            body.SkipByteOrderMark();
            return body;
        }
        catch (OperationCanceledException) when (timer.IsCancellationRequested && !context.RequestAborted.IsCancellationRequested)
        {
            body.Dispose();
            throw new InferenceException(new InferenceError(
                ErrorKind.TooSlow, $"The body did not arrive within {_timeout.TotalSeconds} seconds.", "request_timeout"));
        }
        catch
        {
            body.Dispose();
            throw;
        }
    }

    // Not without one either: then a page of any origin could send requests without the browser asking first.
    private static void RequireJson(HttpContext context)
    {
        var request = context.Request;
        if (request.HasJsonContentType() || context.Features.Get<IHttpRequestBodyDetectionFeature>() is { CanHaveBody: false })
        {
            return;
        }

        throw new InferenceException(new InferenceError(
            ErrorKind.UnsupportedFormat,
            string.IsNullOrEmpty(request.ContentType)
                ? "The body must be JSON, and the header 'Content-Type: application/json' must say so."
                : $"The body must be JSON, with the header 'Content-Type: application/json'; it is '{request.ContentType}'.",
            "unsupported_media_type", "Content-Type"));
    }

    private static void RequireKnownEncoding(HttpContext context)
    {
        var encoding = context.Request.Headers.ContentEncoding.ToString();
        if (!ContentDecoder.IsIdentity(encoding) && !ContentDecoder.IsKnown(encoding))
        {
            context.Response.Headers.AcceptEncoding = ContentDecoder.Accepted; // RFC 9110, section 15.5.16.
            throw new InferenceException(new InferenceError(
                ErrorKind.UnsupportedFormat,
                $"Bodies with 'Content-Encoding: {encoding}' are not understood; send one of {ContentDecoder.Accepted}, or none.",
                "unsupported_content_encoding", HeaderNames.ContentEncoding));
        }
    }

    private RequestBody Decode(RequestBody encoded, string encoding)
    {
        if (ContentDecoder.IsIdentity(encoding))
        {
            return encoded;
        }

        var decoded = new RequestBody(_room, _maxSize);
        try
        {
            if (!ContentDecoder.TryDecode(encoded.Bytes, encoding, decoded, _maxSize))
            {
                throw TooLarge();
            }
        }
        catch
        {
            decoded.Dispose();
            throw;
        }

        encoded.Dispose();
        return decoded;
    }

    private async ValueTask FillAsync(RequestBody body, PipeReader reader, CancellationToken cancellationToken)
    {
        while (true)
        {
            var read = await reader.ReadAsync(cancellationToken);
            try
            {
                if (body.Length + read.Buffer.Length > _maxSize)
                {
                    throw TooLarge();
                }

                body.Append(read.Buffer);
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
        new(new InferenceError(ErrorKind.TooLarge, $"The body is larger than {_maxSize} bytes.", "request_too_large"));
}
