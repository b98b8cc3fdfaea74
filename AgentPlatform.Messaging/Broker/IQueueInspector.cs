namespace AgentPlatform.Messaging.Broker;

/// <summary>What there is to know of a queue.</summary>
/// <param name="Exists">Whether it is there; otherwise the other values are 0.</param>
/// <param name="Waiting">How many messages nobody has.</param>
/// <param name="Consumers">How many take messages from it.</param>
public readonly record struct QueueState(bool Exists, uint Waiting, uint Consumers);

/// <summary>Looks at queues.</summary>
/// <remarks>Safe for concurrent use.</remarks>
public interface IQueueInspector
{
    /// <summary>How a queue is; null while the broker does not say.</summary>
    Task<QueueState?> LookAsync(string queue, CancellationToken cancellationToken);

    /// <summary>Makes a job queue and the lane beside it that somebody deleted. Does nothing while the broker is away.</summary>
    Task RestoreAsync(string jobQueue, CancellationToken cancellationToken);
}
