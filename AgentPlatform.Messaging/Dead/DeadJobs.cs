using AgentPlatform.Inference;
using AgentPlatform.Messaging.Broker;
using AgentPlatform.Messaging.Jobs;
using RabbitMQ.Client;

namespace AgentPlatform.Messaging.Dead;

/// <summary>Puts jobs that cannot be done aside, with their story, for a person to look at.</summary>
/// <remarks>Safe for concurrent use.</remarks>
public sealed class DeadJobs
{
    /// <summary>Reason of a job that is suspected to kill its workers.</summary>
    public const string Poison = "poison";

    /// <summary>Reason of a message that is no job, or none that this build can read.</summary>
    public const string Malformed = "malformed";

    private const int MaxText = 1024;

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

    /// <summary>Publishes a message that is no job to <see cref="Topology.DeadQueue"/>, with its body and what of its properties concerns a job.</summary>
    /// <param name="message">Its properties.</param>
    /// <param name="body">Its body.</param>
    /// <param name="queue">Where it was.</param>
    /// <param name="detail">What is wrong with it.</param>
    /// <returns>The broker's word; only <see cref="PublishOutcome.Confirmed"/> says that it is there.</returns>
    internal Task<PublishOutcome> PublishMalformedAsync(IReadOnlyBasicProperties message, ReadOnlyMemory<byte> body, string queue, string detail)
    {
        // Not all of them: the broker closes the channel over some (a user-id of somebody else, CC that is no list, a reply-to that is no queue), and over
        // headers that do not fit into one frame. This message must not take the worker's connection with it.
        var headers = JobHeaders.All.Where(key => message.Headers?.ContainsKey(key) == true)
            .ToDictionary(static key => key, key => message.Headers![key] switch
            {
                byte[] text => text[..Math.Min(text.Length, MaxText)],
                int or long or short or byte or bool or null => message.Headers[key],
                var other => other.GetType().Name,
            });
        headers[DeadHeaders.Queue] = queue;
        headers[DeadHeaders.Reason] = Malformed;
        headers[DeadHeaders.Detail] = detail;
        headers[DeadHeaders.DiedAt] = _time.GetUtcNow().ToUnixTimeMilliseconds();
        return _publisher.PublishAsync("", Topology.DeadQueue, new BasicProperties
        {
            Persistent = true,
            MessageId = message.MessageId,
            Type = message.Type,
            Headers = headers,
        }, body);
    }
}
