namespace AgentPlatform.Inference;

/// <summary>A request failed for the reason in <see cref="Error"/>.</summary>
public sealed class InferenceException(InferenceError error, Exception? innerException = null)
    : Exception(error.Message, innerException)
{
    /// <summary>What the client is told.</summary>
    public InferenceError Error { get; } = error;
}
