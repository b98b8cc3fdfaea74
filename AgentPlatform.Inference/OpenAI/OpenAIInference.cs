using System.Net.Http.Headers;
using System.Runtime.CompilerServices;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace AgentPlatform.Inference.OpenAI;

/// <summary>
/// Chat by any server that speaks OpenAI's chat completions: vLLM, llama.cpp, Ollama, NIM, OpenAI. The client's body goes there as it
/// came, but for the model's name, and what the server adds to its answer comes back.
/// </summary>
/// <remarks>
/// Safe for concurrent use. <paramref name="http"/> should have no timeout of its own: a request has a deadline, and leaving the
/// enumeration or cancelling it closes the connection, which is how these servers learn that their slot is free.
/// </remarks>
public sealed class OpenAIInference(HttpClient http, OpenAIEndpoint endpoint, ILogger<OpenAIInference>? logger = null) : IInference
{
    private readonly UpstreamErrors _errors = new(logger ?? NullLogger<OpenAIInference>.Instance);

    /// <inheritdoc/>
    public IAsyncEnumerable<ReplyPart> RunAsync(InferenceRequest request, CancellationToken cancellationToken)
    {
        if (request.Operation.Info().OpenAIPath is null)
        {
            throw new InferenceException(InferenceError.Invalid(
                $"The model '{request.Model}' does not do {request.Operation.Info().Noun}.", "model", "unsupported_operation"));
        }

        return request.Stream ? StreamAsync(request, cancellationToken) : CompleteAsync(request, cancellationToken);
    }

    private async IAsyncEnumerable<ReplyPart> CompleteAsync(
        InferenceRequest request, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        byte[] result;
        try
        {
            using var response = await SendAsync(request, cancellationToken);
            var whole = await response.Content.ReadWholeAsync(UpstreamContent.MaxAnswerSize, cancellationToken);
            result = ChatJson.WithoutEnvelope(whole.Span);
        }
        catch (Exception e) when (UpstreamErrors.ToError(e, cancellationToken) is { } error)
        {
            throw new InferenceException(error, e);
        }

        yield return new ReplyPart(ReplyKind.Result, result);
    }

    private async IAsyncEnumerable<ReplyPart> StreamAsync(
        InferenceRequest request, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var response = await OpenAsync(request, cancellationToken);
        await using var content = await response.Content.ReadAsStreamAsync(cancellationToken);
        using var events = new SseReader(content);
        var chunk = new ChatChunk();
        var isDone = false;
        while (!isDone && await NextAsync(events, cancellationToken))
        {
            if (events.Data.Span.SequenceEqual("[DONE]"u8))
            {
                isDone = true;
            }
            else if (Read(chunk, events, request.Model))
            {
                yield return new ReplyPart(ReplyKind.Delta, chunk.Part);
            }
        }

        // A server that hangs up without [DONE] may have been cut off; only a finish_reason says that the answer was whole.
        yield return isDone || chunk.IsFinished
            ? new ReplyPart(ReplyKind.End, chunk.Usage)
            : throw new InferenceException(
                InferenceError.EngineFailed("The model's server ended its stream before the answer was complete."));
    }

    private async Task<HttpResponseMessage> OpenAsync(InferenceRequest request, CancellationToken cancellationToken)
    {
        try
        {
            var response = await SendAsync(request, cancellationToken);
            if (response.Content.Headers.ContentType?.MediaType == "text/event-stream")
            {
                return response;
            }

            var type = response.Content.Headers.ContentType?.MediaType ?? "nothing";
            response.Dispose();
            throw new InferenceException(InferenceError.EngineFailed($"The model's server was asked for a stream and sent {type}."));
        }
        catch (Exception e) when (UpstreamErrors.ToError(e, cancellationToken) is { } error)
        {
            throw new InferenceException(error, e);
        }
    }

    private async Task<HttpResponseMessage> SendAsync(InferenceRequest request, CancellationToken cancellationToken)
    {
        using var message = endpoint.CreateRequest(HttpMethod.Post, request.Operation.Info().OpenAIPath!);
        message.Content = new ByteArrayContent(ChatJson.WithModel(request.Body.Span,
            endpoint.UpstreamModel)) { Headers = { ContentType = new MediaTypeHeaderValue("application/json") } };
        var response = await http.SendAsync(message, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        if (response.IsSuccessStatusCode)
        {
            return response;
        }

        using (response)
        {
            throw new InferenceException(await _errors.ToErrorAsync(response, request.Model, cancellationToken));
        }
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private static async ValueTask<bool> NextAsync(SseReader events, CancellationToken cancellationToken)
    {
        try
        {
            return await events.ReadAsync(cancellationToken);
        }
        catch (Exception e) when (UpstreamErrors.ToError(e, cancellationToken) is { } error)
        {
            throw new InferenceException(error, e);
        }
    }

    private bool Read(ChatChunk chunk, SseReader events, string model)
    {
        try
        {
            return chunk.Read(events.Data.Span);
        }
        catch (UpstreamException e)
        {
            throw new InferenceException(_errors.ToError(e.Said, model), e);
        }
        catch (FormatException e)
        {
            throw new InferenceException(
                InferenceError.EngineFailed("The model's server sent an event that is not a chat completion chunk."), e);
        }
    }
}
