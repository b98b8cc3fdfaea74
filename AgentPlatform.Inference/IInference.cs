namespace AgentPlatform.Inference;

/// <summary>
/// The one seam of the platform: something that answers inference requests. The gateway's router and transports and the
/// worker's engines are all of it, so that one HTTP surface serves both and any of them can stand in for another.
/// </summary>
/// <remarks>Implementations are safe for concurrent use.</remarks>
public interface IInference
{
    /// <summary>
    /// Answers <paramref name="request"/>: at most one <see cref="ReplyKind.Started"/>, then either one
    /// <see cref="ReplyKind.Result"/>, or any number of <see cref="ReplyKind.Delta"/> and one <see cref="ReplyKind.End"/>.
    /// </summary>
    /// <exception cref="InferenceException">The request failed; thrown before the first part or between parts.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled; the work was given up.</exception>
    IAsyncEnumerable<ReplyPart> RunAsync(InferenceRequest request, CancellationToken cancellationToken);
}
