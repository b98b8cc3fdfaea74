namespace AgentPlatform.Worker.Weights;

/// <summary>
/// The files of the model are not available as the configuration describes them. The message is one sentence that says what to do.
/// </summary>
internal sealed class WeightsException(string message, Exception? innerException = null) : Exception(message, innerException);
