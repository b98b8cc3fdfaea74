namespace AgentPlatform.Worker.Weights;

/// <summary>The files of the model cannot be had as the configuration promises them. The message is one sentence that says what to do.</summary>
internal sealed class WeightsException(string message, Exception? innerException = null) : Exception(message, innerException);
