using System.Runtime.CompilerServices;
using AgentPlatform.Messaging.Contracts;
using AgentPlatform.Worker.Engines;
using AgentPlatform.Worker.Stopping;
using Microsoft.Extensions.Options;

namespace AgentPlatform.Worker.Http;

/// <summary>
/// Requests that come over this worker's own HTTP surface. They share the engine's slots with jobs; since no broker holds the
/// ones that wait, their number is bounded here.
/// </summary>
/// <remarks>Safe for concurrent use.</remarks>
internal sealed class DirectInference(EngineRunner engine, EngineState state, EngineSlots slots, DrainClock drain, IOptions<EngineOptions> options) : IInference
{
    /// <inheritdoc/>
    public async IAsyncEnumerable<ReplyPart> RunAsync(InferenceRequest request, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        if (!state.IsReady)
        {
            throw new InferenceException(InferenceError.Unavailable($"The model '{request.Model}' is still being loaded.", retryAfterSeconds: 5));
        }

        if (slots.Active == slots.Total && slots.Waiting >= options.Value.MaxWaiting)
        {
            throw new InferenceException(InferenceError.Overloaded($"Too many requests wait for the model '{request.Model}'.", retryAfterSeconds: 1));
        }

        using var work = CancellationTokenSource.CreateLinkedTokenSource(drain.Over, cancellationToken);
        await using var parts = engine.RunAsync(request, work.Token).GetAsyncEnumerator(work.Token);
        while (await MoveNextAsync(parts, cancellationToken))
        {
            yield return parts.Current;
        }
    }

    private async ValueTask<bool> MoveNextAsync(IAsyncEnumerator<ReplyPart> parts, CancellationToken caller)
    {
        try
        {
            return await parts.MoveNextAsync();
        }
        catch (OperationCanceledException) when (drain.Over.IsCancellationRequested && !caller.IsCancellationRequested)
        {
            throw new InferenceException(InferenceError.Unavailable("The worker stopped before the answer was complete.", retryAfterSeconds: 1));
        }
    }
}
