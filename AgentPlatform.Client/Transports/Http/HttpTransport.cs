using System.Runtime.CompilerServices;
using AgentPlatform.Inference;
using AgentPlatform.Inference.Batching;

namespace AgentPlatform.Client.Transports.Http;

/// <summary>
/// Reaches a containerised agent: whole answers by <c>/invoke</c> and <c>/analyze</c>, or collected into one <c>/batch</c>; streams
/// by <c>/v1/chat/completions</c>.
/// </summary>
/// <remarks>Safe for concurrent use.</remarks>
internal sealed class HttpTransport(
    AgentClient agent, IInference streams, MicroBatcher<InferenceRequest, ReadOnlyMemory<byte>>? batcher) : IInference
{
    /// <inheritdoc/>
    public IAsyncEnumerable<ReplyPart> RunAsync(InferenceRequest request, CancellationToken cancellationToken) =>
        request.Stream ? streams.RunAsync(request, cancellationToken) : CompleteAsync(request, cancellationToken);

    private async IAsyncEnumerable<ReplyPart> CompleteAsync(
        InferenceRequest request, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var result = batcher is null
            ? await agent.SendAsync(request, cancellationToken)
            : agent.ResultOf(request, await batcher.RunAsync(request, request.TimeLimit, cancellationToken));
        yield return new ReplyPart(ReplyKind.Result, result);
    }
}
