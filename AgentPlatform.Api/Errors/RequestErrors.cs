using AgentPlatform.Api.Edge;
using AgentPlatform.Inference;
using AgentPlatform.Inference.OpenAI;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.Logging;

namespace AgentPlatform.Api.Errors;

/// <summary>
/// Gives every failure before the first byte its response, those of routing included (404, 405), so that a client meets one shape of
/// error.
/// </summary>
internal sealed partial class RequestErrors(RequestDelegate next, ILogger<RequestErrors> logger)
{
    private const int ClientLeft = 499; // nginx's number; nobody is there to read it, but logs and metrics are.

    /// <summary>What a client is told of an unhandled exception; the log has the rest.</summary>
    public static InferenceError Unhandled { get; } = new(ErrorKind.Internal, "The platform failed at this request; its log says why.",
        "internal_error");

    public async Task InvokeAsync(HttpContext context)
    {
        try
        {
            await next(context);
        }
        catch (InferenceException e) when (!context.Response.HasStarted)
        {
            Refused(logger, e.Error.Status, e.Error.Message);
            await ErrorResponse.WriteAsync(context, e.Error);
            return;
        }
        catch (BadHttpRequestException e) when (!context.Response.HasStarted)
        {
            await ErrorResponse.WriteAsync(context, ErrorOf(e), e.StatusCode);
            return;
        }
        catch (Exception e)
            when (e is OperationCanceledException or ConnectionResetException && context.RequestAborted.IsCancellationRequested)
        {
            if (!context.Response.HasStarted)
            {
                context.Response.StatusCode = ClientLeft;
            }

            return;
        }

        if (context.Response is { HasStarted: false, StatusCode: 404 or 405, ContentLength: null, ContentType: null }
            && !MethodRules.TryAnswerOptions(context))
        {
            await ErrorResponse.WriteAsync(context, ErrorOf(context));
        }
    }

    /// <summary>Writes <see cref="Unhandled"/> for the failure that the framework caught.</summary>
    public static Task WriteUnhandledAsync(HttpContext context) =>
        context.Features.Get<IExceptionHandlerFeature>()?.Error is null ? Task.CompletedTask : ErrorResponse.WriteAsync(context, Unhandled);

    /// <summary>What a client is told of a request that the server rejects.</summary>
    public static InferenceError ErrorOf(BadHttpRequestException rejection) =>
        new(ErrorKind.InvalidRequest, rejection.Message, CodeOf(rejection.StatusCode));

    private static InferenceError ErrorOf(HttpContext context) => new(
        ErrorFormat.KindOf(context.Response.StatusCode),
        context.Response.StatusCode == StatusCodes.Status404NotFound
            ? $"There is nothing at {context.Request.Method} {context.Request.Path}. {ApiPaths.Hint(context.Request.Path)}".TrimEnd()
            : $"{context.Request.Method} is not allowed at {context.Request.Path}.",
        CodeOf(context.Response.StatusCode));

    // 408 Request Timeout: request_timeout
    private static string CodeOf(int status) => ReasonPhrases.GetReasonPhrase(status).Replace(' ', '_').ToLowerInvariant();

    [LoggerMessage(LogLevel.Debug, "Refused with {Status}: {Reason}")]
    private static partial void Refused(ILogger logger, int status, string reason);
}
