namespace AgentPlatform.Messaging.Broker;

/// <summary>What became of a message.</summary>
public enum PublishOutcome
{
    /// <summary>The broker has it.</summary>
    Confirmed,

    /// <summary>The broker refused it: its queue is full.</summary>
    Refused,

    /// <summary>No queue takes it.</summary>
    Returned,

    /// <summary>The connection broke before the broker answered; it may have the message or not.</summary>
    Lost,
}
