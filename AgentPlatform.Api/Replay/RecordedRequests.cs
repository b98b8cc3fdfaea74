using AgentPlatform.Api.Connections;
using AgentPlatform.Api.Errors;
using AgentPlatform.Api.Requests;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace AgentPlatform.Api.Replay;

/// <summary>
/// Serves requests with an <c>Idempotency-Key</c> and resumable streams. The request is run once, detached from the connection that brought
/// it, into a <see cref="RecordedResponse"/>; this connection and those of retries read that. All other requests pass.
/// </summary>
internal sealed partial class RecordedRequests
{
    private readonly RequestDelegate _next;
    private readonly RequestDelegate _answer;
    private readonly RecordedResponses _responses;
    private readonly RequestBodies _bodies;
    private readonly ResponseSender _sender;
    private readonly IServiceScopeFactory _scopes;
    private readonly IOptions<ReplayOptions> _options;
    private readonly ILogger<RecordedRequests> _logger;

    public RecordedRequests(
        RequestDelegate next, RecordedResponses responses, RequestBodies bodies, ResponseSender sender, IServiceScopeFactory scopes,
        IOptions<ReplayOptions> options,
        ILogger<RecordedRequests> logger, ILogger<RequestErrors> errors)
    {
        (_next, _responses, _bodies, _sender, _scopes, _options, _logger) = (next, responses, bodies, sender, scopes, options, logger);
        // What fails there is a response as well, and goes on record or not like any.
        _answer = new RequestErrors(next, errors).InvokeAsync;
    }

    public Task InvokeAsync(HttpContext context) =>
        HttpMethods.IsPost(context.Request.Method) && context.GetEndpoint() is not null
            && ReplayTerms.Read(context.Request.Headers) is { } terms
            ? RespondAsync(context, terms)
            : _next(context);

    private async Task RespondAsync(HttpContext context, ReplayTerms terms)
    {
        using var reader = await OpenAsync(context, terms);
        await _sender.SendAsync(context, reader);
    }

    private async Task<ResponseReader> OpenAsync(HttpContext context, ReplayTerms terms)
    {
        var body = await _bodies.ReadAsync(context);
        var isTaken = false;
        try
        {
            var fingerprint = ReplayTerms.Fingerprint(context.Request, body.Bytes.Span);
            if (terms.LastEvent is var (stream, number))
            {
                return _responses.Resume(ReplayTerms.StreamName(context.Request, stream), number, fingerprint);
            }

            var (reader, fresh) = Claim(context, terms, fingerprint);
            if (fresh is not null)
            {
                isTaken = true;
                _ = RunAsync(Detach(context, body, fresh, terms), body);
            }
            else
            {
                context.Response.Headers[ReplayTerms.ReplayedHeader] = "true";
            }

            return reader;
        }
        finally
        {
            if (!isTaken)
            {
                body.Dispose();
            }
        }
    }

    private (ResponseReader Reader, RecordedResponse? Fresh) Claim(HttpContext context, ReplayTerms terms, string fingerprint)
    {
        var names = new List<string>(2);
        if (terms.Key is not null)
        {
            names.Add(ReplayTerms.KeyName(context.Request, terms.Key));
        }

        if (terms.IsResumable)
        {
            names.Add(ReplayTerms.StreamName(context.Request, RequestIdentity.Of(context)));
        }

        var options = _options.Value;
        var keptFor = terms.Key is null || (terms.IsResumable && options.ResumeWindow > options.KeyWindow)
            ? options.ResumeWindow
            : options.KeyWindow;

        // A retry with the key may come as long as the request may run. Without one only a stream can be gone on with.
        return _responses.Claim(names, fingerprint, keptFor, terms.Key is null ? TimeSpan.Zero : Timeout.InfiniteTimeSpan);
    }

    /// <summary>The same request on a context that no connection owns.</summary>
    private DefaultHttpContext Detach(HttpContext origin, RequestBody body, RecordedResponse recorded, ReplayTerms terms)
    {
        var recorder = new ResponseRecorder(_responses, recorded, terms.IsResumable, _options);
        var detached =
            new DefaultHttpContext { ServiceScopeFactory = _scopes, TraceIdentifier = origin.TraceIdentifier, User = origin.User };
        detached.Features.Set<IHttpResponseFeature>(recorder);
        detached.Features.Set<IHttpResponseBodyFeature>(recorder);
        detached.Features.Set<ITruncationFeature>(recorder);
        detached.Features.Set(recorder);
        detached.Features.Set(body);
        detached.Features.Set<IHttpRequestLifetimeFeature>(new HttpRequestLifetimeFeature { RequestAborted = recorded.Abandoned });
        detached.SetEndpoint(origin.GetEndpoint());

        var (to, from) = (detached.Request, origin.Request);
        (to.Method, to.Protocol, to.Scheme, to.Host, to.PathBase, to.Path, to.QueryString) =
            (from.Method, from.Protocol, from.Scheme, from.Host, from.PathBase, from.Path, from.QueryString);
        to.RouteValues = new(from.RouteValues);
        foreach (var header in from.Headers)
        {
            to.Headers.Append(header.Key, header.Value);
        }

        return detached;
    }

    private async Task RunAsync(DefaultHttpContext detached, RequestBody body)
    {
        var recorder = detached.Features.GetRequiredFeature<ResponseRecorder>();
        var isBroken = false;
        try
        {
            await _answer(detached);
        }
        catch (Exception e)
        {
            // The server does this for requests on connections: log the exception, and tell the client if that can still be done.
            RunBroke(_logger, e, detached.TraceIdentifier);
            isBroken = recorder.HasStarted;
            if (!isBroken)
            {
                detached.Response.Headers.Clear();
                await ErrorResponse.WriteAsync(detached, RequestErrors.Unhandled);
            }
        }

        body.Dispose();
        await recorder.EndAsync(isBroken);
    }

    [LoggerMessage(LogLevel.Error, "Request {RequestId}, which is on record, broke")]
    private static partial void RunBroke(ILogger logger, Exception e, string requestId);
}
