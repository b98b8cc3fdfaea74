using System.Buffers;
using System.Net;
using System.Net.Http.Headers;
using AgentPlatform.Inference;
using AgentPlatform.Inference.Chat;

namespace AgentPlatform.Client.Chat;

/// <summary>
/// The far side of OpenAI's client, without a network between: takes its requests to an <see cref="IInference"/> and gives back what a
/// server would send. A failure stays the <see cref="InferenceException"/> that it is, also in the middle of a stream.
/// </summary>
internal sealed class InferenceHandler(IInference inference, string model, TimeSpan timeout, TimeProvider time) : HttpMessageHandler
{
    private static readonly RequestLimits _limits = new();

    /// <inheritdoc/>
    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var body = await request.Content!.ReadAsByteArrayAsync(cancellationToken);
        var inferred = new InferenceRequest
        {
            RequestId = Guid.CreateVersion7(),
            Model = model,
            Operation = Operation.Chat,
            Stream = ChatRequest.Read(body, _limits).Stream, // Checks it, too: engines rely on that.
            Deadline = time.GetUtcNow() + timeout,
            TimeLimit = new TimeLimit(timeout, time),
            Body = body,
        };
        return inferred.Stream
            ? Answer("text/event-stream", new StreamContent(new PartStream(inference, inferred, timeout, time)))
            : Answer("application/json", new ByteArrayContent(await CompleteAsync(inferred, cancellationToken)));
    }

    private async Task<byte[]> CompleteAsync(InferenceRequest request, CancellationToken cancellationToken)
    {
        using var deadline = new CancellationTokenSource(timeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancellationToken);
        try
        {
            await foreach (var part in inference.RunAsync(request, either.Token))
            {
                if (part.Kind == ReplyKind.Result)
                {
                    var completion = new ArrayBufferWriter<byte>(part.Payload.Length + 160);
                    ChatEnvelope.ForCompletion(request, time.GetUtcNow()).Write(completion, part.Payload.Span);
                    return completion.WrittenSpan.ToArray();
                }
            }
        }
        catch (OperationCanceledException) when (deadline.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw new InferenceException(InferenceError.DeadlinePassed());
        }

        throw new InferenceException(InferenceError.EngineFailed("The engine ended without an answer."));
    }

    private static HttpResponseMessage Answer(string type, HttpContent content)
    {
        content.Headers.ContentType = new MediaTypeHeaderValue(type);
        return new HttpResponseMessage(HttpStatusCode.OK) { Content = content };
    }
}
