using AgentPlatform.Inference;
using AgentPlatform.Messaging.Broker;
using AgentPlatform.Messaging.Wire;

namespace AgentPlatform.Messaging.Dead;

/// <summary>Puts jobs that cannot be done aside, with their story, for a person to look at.</summary>
/// <remarks>Safe for concurrent use.</remarks>
public sealed class DeadJobs(IDeadLetters letters, TimeProvider time)
{
    /// <summary>Reason of a job that is suspected to kill its workers.</summary>
    public const string Poison = "poison";

    /// <summary>Reason of a message that is not a job, or none that this build can read.</summary>
    public const string Malformed = "malformed";

    private const int MaxText = 1024;

    /// <summary>Publishes the request to <see cref="QueueNames.Dead"/>.</summary>
    /// <param name="request">The request.</param>
    /// <param name="from">Where it was.</param>
    /// <param name="version">The model's version.</param>
    /// <param name="attempts">Its attempts, the first one first.</param>
    /// <param name="reason">Why it was given up, in one word.</param>
    /// <returns>The broker's word; only <see cref="PublishOutcome.Confirmed"/> says that it is there.</returns>
    public Task<PublishOutcome> PublishAsync(
        InferenceRequest request, string from, string version, IReadOnlyList<DeadAttempt> attempts, string reason = Poison)
    {
        var headers = JobHeaders.Write(request, version);
        headers[DeadHeaders.Queue] = from;
        headers[DeadHeaders.Reason] = reason;
        headers[DeadHeaders.DiedAt] = time.GetUtcNow().ToUnixTimeMilliseconds();
        headers[DeadHeaders.Attempts] = DeadAttempt.Write(attempts);
        return letters.PutAsync(new BrokerMessage
        {
            Id = request.RequestId.ToString(),
            Type = request.Operation.ToString(),
            Headers = headers,
            Body = request.Body,
        });
    }

    /// <summary>
    /// Publishes a message that is not a job to <see cref="QueueNames.Dead"/>, with its body and what of its headers concerns a job.
    /// </summary>
    /// <param name="message">The message.</param>
    /// <param name="from">Where it was.</param>
    /// <param name="detail">What is wrong with it.</param>
    /// <returns>The broker's word; only <see cref="PublishOutcome.Confirmed"/> says that it is there.</returns>
    internal Task<PublishOutcome> PublishMalformedAsync(BrokerMessage message, string from, string detail)
    {
        // Not all of them: the broker closes the channel over some (CC that is not a list), and over headers that do not fit into one
        // frame. This message must not take the worker's connection with it.
        var headers = JobHeaders.All.Where(message.Headers.ContainsKey).ToDictionary(static key => key, key => message.Headers[key] switch
        {
            string text => text[..Math.Min(text.Length, MaxText)],
            long or bool or null => message.Headers[key],
            var other => other.ToString(),
        });
        headers[DeadHeaders.Queue] = from;
        headers[DeadHeaders.Reason] = Malformed;
        headers[DeadHeaders.Detail] = detail;
        headers[DeadHeaders.DiedAt] = time.GetUtcNow().ToUnixTimeMilliseconds();
        return letters.PutAsync(new BrokerMessage { Id = message.Id, Type = message.Type, Headers = headers, Body = message.Body });
    }
}
