namespace AgentPlatform.Messaging.Broker;

/// <summary>The broker cannot be reached, or ended the connection; the message says so in a sentence.</summary>
public sealed class BrokerException(string message, Exception? innerException = null) : Exception(message, innerException);
