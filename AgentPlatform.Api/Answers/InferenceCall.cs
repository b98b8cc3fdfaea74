using System.Buffers;
using AgentPlatform.Api.Catalogue;
using AgentPlatform.Api.Errors;
using AgentPlatform.Api.Limits;
using AgentPlatform.Api.Replay;
using AgentPlatform.Api.Requests;
using AgentPlatform.Api.Stopping;
using AgentPlatform.Api.Telemetry;
using AgentPlatform.Inference;
using AgentPlatform.Inference.Chat;
using AgentPlatform.Inference.OpenAI;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace AgentPlatform.Api.Answers;

/// <summary>Runs validated requests and gives their answers the shape of this surface.</summary>
/// <remarks>Safe for concurrent use.</remarks>
internal sealed partial class InferenceCall(
    IOptions<InferenceApiOptions> options, DrainClock drain, InferenceMetrics metrics, InferenceSpans spans, TimeProvider time,
    ILogger<InferenceCall> logger)
{
    public InferenceApiOptions Options => options.Value;

    /// <summary>Begins the time that a request has.</summary>
    public RequestDeadline StartDeadline(HttpContext context) => new(context, Options, time, drain.Over);

    /// <summary>Writes the whole answer to <paramref name="output"/> once it is there; before that nothing is written.</summary>
    /// <exception cref="InferenceException">The request failed, or its deadline passed.</exception>
    public async Task CompleteAsync(ModelRoute route, InferenceRequest request, RequestDeadline deadline, IBufferWriter<byte> output)
    {
        InferenceMetrics.TagSpan(request);
        using var span = spans.Start(request);
        var began = time.GetTimestamp();
        var error = "cancelled";
        string? message = null;
        try
        {
            await foreach (var part in route.Inference.RunAsync(request, deadline.Token))
            {
                if (part.Kind == ReplyKind.Result)
                {
                    WriteResult(request, part.Payload.Span, output);
                    span?.Result(part.Payload);
                    error = null;
                    return;
                }
            }

            throw new InferenceException(InferenceError.EngineFailed("The engine ended without an answer."));
        }
        catch (OperationCanceledException) when (deadline.Error is { } late)
        {
            (error, message) = (late.Code, late.Message);
            throw new InferenceException(late);
        }
        catch (InferenceException e)
        {
            (error, message) = (e.Error.Code ?? e.Error.Type, e.Error.Message);
            throw;
        }
        catch (Exception) when (!deadline.Token.IsCancellationRequested)
        {
            error = RequestErrors.Unhandled.Code;
            throw;
        }
        finally
        {
            metrics.Ended(request, time.GetElapsedTime(began), error);
            if (error is not null)
            {
                span?.Fail(error, message);
            }
        }
    }

    /// <summary>What a client is told in the middle of a response of an unhandled exception. The log gets the rest.</summary>
    public InferenceError Unhandled(Exception e, Guid requestId)
    {
        RequestFailed(logger, e, requestId);
        return RequestErrors.Unhandled;
    }

    /// <summary>Streams the answer to the client. Returns normally when a failure was told inside the stream.</summary>
    /// <exception cref="InferenceException">The request failed before its first token.</exception>
    public async Task StreamAsync(
        HttpContext context, ModelRoute route, InferenceRequest request, bool includeUsage, RequestDeadline deadline)
    {
        InferenceMetrics.TagSpan(request);
        using var span = spans.Start(request);
        var progress = new StreamProgress(metrics, span, request, time);
        var recorder = context.Features.Get<ResponseRecorder>();
        recorder?.BeginStream();
        context.NameVersion(route);
        var chat = new ChatEvents(ChatEnvelope.ForChunks(request, time.GetUtcNow()), includeUsage);
        using var writer = new ChatStreamWriter(context, chat, Options, deadline, time, recorder);
        try
        {
            await CopyAsync(route.Inference.RunAsync(request, deadline.Token), writer, progress);
        }
        catch (OperationCanceledException) when (deadline.Error is { } error)
        {
            await FailAsync(error);
        }
        catch (InferenceException e)
        {
            await FailAsync(e.Error);
        }
        catch (Exception e) when (!context.RequestAborted.IsCancellationRequested)
        {
            // Before the first byte it is a 500 like any other; after it only the stream itself can tell it from a good end.
            progress.Fail(RequestErrors.Unhandled);
            if (!writer.HasBegun)
            {
                throw;
            }

            await FailAsync(Unhandled(e, request.RequestId));
        }
        finally
        {
            progress.Ended();
        }

        async ValueTask FailAsync(InferenceError error)
        {
            progress.Fail(error);
            if (!writer.HasBegun)
            {
                throw new InferenceException(error);
            }

            await writer.FailAsync(error);
        }
    }

    // No method of its own around what is done per token: each would be a state machine to allocate when it has to wait.
    private static async Task CopyAsync(IAsyncEnumerable<ReplyPart> answer, ChatStreamWriter writer, StreamProgress progress)
    {
        await using var parts = answer.GetAsyncEnumerator(CancellationToken.None);
        while (true)
        {
            var next = parts.MoveNextAsync();
            bool hasNext;
            if (next.IsCompleted)
            {
                hasNext = await next;
            }
            else
            {
                // Parts that are there are written together; only when none is, they are sent.
                try
                {
                    await writer.FlushAsync();
                }
                finally
                {
                    // In any case: an enumerator must not be disposed of while it makes its next part.
                    writer.Yield();
                    try
                    {
                        hasNext = await next;
                    }
                    finally
                    {
                        await writer.ResumeAsync();
                    }
                }
            }

            if (!hasNext)
            {
                throw new InferenceException(InferenceError.EngineFailed("The engine ended without finishing its answer."));
            }

            var part = parts.Current;
            switch (part.Kind)
            {
                case ReplyKind.Delta:
                    progress.Token(part.Payload);
                    writer.WriteDelta(part.Payload.Span);
                    break;
                case ReplyKind.End:
                    progress.Complete(part.Payload);
                    writer.WriteEnd(part.Payload.Span);
                    await writer.FlushAsync();
                    return;
                default:
                    break; // A worker took the request; that says nothing of success yet.
            }

            if (writer.IsFull)
            {
                await writer.FlushAsync();
            }
        }
    }

    [LoggerMessage(LogLevel.Error, "Request {RequestId} failed with an unhandled exception")]
    private static partial void RequestFailed(ILogger logger, Exception e, Guid requestId);

    private void WriteResult(InferenceRequest request, ReadOnlySpan<byte> result, IBufferWriter<byte> output)
    {
        if (request.Operation.Info().HasEnvelope)
        {
            ChatEnvelope.ForCompletion(request, time.GetUtcNow()).Write(output, result);
        }
        else
        {
            output.Write(result);
        }
    }
}
