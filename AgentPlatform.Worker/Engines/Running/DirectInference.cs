using System.Runtime.CompilerServices;
using AgentPlatform.Inference;
using Microsoft.Extensions.Options;

namespace AgentPlatform.Worker.Engines.Running;

/// <summary>
/// Requests that come over this worker's own HTTP surface. They share the engine's slots with jobs; since no broker holds the
/// ones that wait, their number is bounded here.
/// </summary>
/// <remarks>Safe for concurrent use.</remarks>
internal sealed class DirectInference(EngineRunner engine, EngineState state, EngineSlots slots, IOptions<EngineOptions> options)
    : IInference
{
    /// <inheritdoc/>
    public async IAsyncEnumerable<ReplyPart> RunAsync(
        InferenceRequest request, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        if (!state.IsReady)
        {
            throw new InferenceException(
                InferenceError.Unavailable($"The model '{request.Model}' is still being loaded.", retryAfterSeconds: 5));
        }

        if (slots.Active == slots.Total && slots.Waiting >= options.Value.MaxWaiting)
        {
            throw new InferenceException(
                InferenceError.Overloaded($"Too many requests wait for the model '{request.Model}'.", retryAfterSeconds: 1));
        }

        await foreach (var part in engine.RunAsync(request, cancellationToken))
        {
            yield return part;
        }
    }
}
