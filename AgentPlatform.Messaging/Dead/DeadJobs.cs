using AgentPlatform.Messaging.Broker;
using AgentPlatform.Messaging.Contracts;
using AgentPlatform.Messaging.Jobs;
using RabbitMQ.Client;

namespace AgentPlatform.Messaging.Dead;

/// <summary>Puts jobs that cannot be done aside, with their story, for a person to look at.</summary>
/// <remarks>Safe for concurrent use.</remarks>
public sealed class DeadJobs
{
    /// <summary>Reason of a job that is suspected to kill its workers.</summary>
    public const string Poison = "poison";

    private readonly ConfirmedPublisher _publisher;
    private readonly TimeProvider _time;

    internal DeadJobs(ConfirmedPublisher publisher, TimeProvider time) => (_publisher, _time) = (publisher, time);

    /// <summary>Publishes the request to <see cref="Topology.DeadQueue"/>.</summary>
    /// <param name="request">The request.</param>
    /// <param name="queue">Where it was.</param>
    /// <param name="version">The model's version.</param>
    /// <param name="story">Its attempts, the first one first.</param>
    /// <param name="reason">Why it was given up, in one word.</param>
    /// <returns>The broker's word; only <see cref="PublishOutcome.Confirmed"/> says that it is there.</returns>
    public Task<PublishOutcome> PublishAsync(InferenceRequest request, string queue, string version, IReadOnlyList<DeadAttempt> story, string reason = Poison)
    {
        var headers = JobHeaders.Describe(request, version);
        headers[DeadHeaders.Queue] = queue;
        headers[DeadHeaders.Reason] = reason;
        headers[DeadHeaders.DiedAt] = _time.GetUtcNow().ToUnixTimeMilliseconds();
        headers[DeadHeaders.Story] = DeadAttempt.Write(story);
        return _publisher.PublishAsync("", Topology.DeadQueue, new BasicProperties
        {
            Persistent = true,
            ContentType = "application/json",
            MessageId = request.RequestId.ToString(),
            Type = request.Operation.ToString(),
            Headers = headers,
        }, request.Body);
    }
}
