namespace AgentPlatform.Messaging.Broker;

/// <summary>
/// The queues that a gateway sends to. They are there before the first job is sent, so that jobs wait for a pool that is scaled to zero.
/// </summary>
/// <param name="Names">Names as <see cref="QueueNames.Job"/> makes them; the lane beside each is meant too.</param>
public sealed record JobQueues(IReadOnlyCollection<string> Names);

/// <summary>Puts jobs into queues.</summary>
/// <remarks>Safe for concurrent use.</remarks>
public interface IJobSender
{
    /// <summary>Sends a job and waits until the broker has it.</summary>
    /// <param name="queue">A job queue or the lane beside one.</param>
    /// <param name="job">The job.</param>
    /// <param name="cancellationToken">Takes the job back as long as the broker does not have it.</param>
    /// <exception cref="OperationCanceledException">It was cancelled before it was given to the broker.</exception>
    Task<PublishOutcome> SendAsync(string queue, BrokerMessage job, CancellationToken cancellationToken);
}
