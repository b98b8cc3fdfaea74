using System.Diagnostics;
using AgentPlatform.Inference;
using AgentPlatform.Messaging.Asking.Admission;
using AgentPlatform.Messaging.Broker;
using AgentPlatform.Messaging.Telemetry;
using AgentPlatform.Messaging.Wire;
using Microsoft.Extensions.Options;

namespace AgentPlatform.Messaging.Asking;

/// <summary>Puts requests into the queues of model versions.</summary>
/// <remarks>
/// Safe for concurrent use. Whether a request whose confirm was lost is in the queue cannot be known; it is not published a second time.
/// </remarks>
public sealed class JobPublisher(
    BrokerState broker, IJobSender jobs, QueueAdmission admission, MessagingTelemetry telemetry, IOptions<BrokerOptions> options)
{
    /// <summary>
    /// Publishes <paramref name="request"/> to <paramref name="queue"/>; its answer will come to <paramref name="replyQueue"/>. A request
    /// that is issued again goes to the lane beside the queue.
    /// </summary>
    /// <param name="request">The request.</param>
    /// <param name="queue">The queue of the model's version.</param>
    /// <param name="version">That version.</param>
    /// <param name="replyQueue">Where workers send the answer.</param>
    /// <param name="issue">0 for the first message of the request, one more for each further one.</param>
    /// <param name="cancellationToken">Ends the waiting for the broker's word.</param>
    /// <exception cref="InferenceException">
    /// The request is larger than a message may be, the queue is full, or the broker or the queue is away.
    /// </exception>
    /// <exception cref="OperationCanceledException">The caller no longer waits for the broker's word; the queue may have the request or
    /// not.</exception>
    public async Task PublishAsync(
        InferenceRequest request, string queue, string version, string replyQueue, ushort issue, CancellationToken cancellationToken)
    {
        if (request.Body.Length > options.Value.MaxMessageSize)
        {
            throw new InferenceException(new InferenceError(ErrorKind.TooLarge,
                $"The request is larger than the {options.Value.MaxMessageSize} bytes that the message broker takes.",
                "request_too_large"));
        }

        if (!await broker.WaitOpenAsync(cancellationToken))
        {
            throw BrokerAway();
        }

        if (broker.IsBlocked)
        {
            throw new InferenceException(
                InferenceError.Unavailable("The message broker is short of memory or disk space and takes nothing for now.",
                    retryAfterSeconds: 10));
        }

        var lane = issue == 0 ? queue : QueueNames.Resume(queue);
        using var activity = MessagingTelemetry.StartSend(lane);
        var outcome = await jobs.SendAsync(lane, JobMessage.Write(request, version, replyQueue, issue), cancellationToken)
            .WaitAsync(cancellationToken);
        telemetry.Sent(lane);
        switch (outcome)
        {
            case PublishOutcome.Confirmed:
                return;
            case PublishOutcome.Refused:
                activity?.SetStatus(ActivityStatusCode.Error, "The queue is full.");
                throw admission.Full(queue, request.Model);
            case PublishOutcome.Returned:
                activity?.SetStatus(ActivityStatusCode.Error, "The queue does not exist.");
                throw new InferenceException(
                    InferenceError.Unavailable($"The queue of model '{request.Model}' does not exist on the broker.",
                        retryAfterSeconds: 5));
            default:
                activity?.SetStatus(ActivityStatusCode.Error, "The connection broke.");
                throw BrokerAway();
        }
    }

    private static InferenceException BrokerAway() => new(InferenceError.Unavailable("The message broker is away.", retryAfterSeconds: 2));
}
