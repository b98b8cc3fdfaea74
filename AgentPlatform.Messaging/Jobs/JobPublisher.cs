using System.Diagnostics;
using System.Globalization;
using AgentPlatform.Inference;
using AgentPlatform.Messaging.Admission;
using AgentPlatform.Messaging.Broker;
using Microsoft.Extensions.Options;
using RabbitMQ.Client;

namespace AgentPlatform.Messaging.Jobs;

/// <summary>The queues that a gateway publishes to. It declares them, so that jobs wait for a pool that is scaled to zero.</summary>
/// <param name="Names">Queue names as <see cref="Topology.JobQueue"/> makes them.</param>
public sealed record JobQueues(IReadOnlyCollection<string> Names);

/// <summary>Puts requests into the queues of model versions.</summary>
/// <remarks>Safe for concurrent use. Whether a request whose confirm was lost is in the queue cannot be known; it is not published a second time.</remarks>
public sealed class JobPublisher : IBrokerSession
{
    private static readonly TimeSpan _firstConnection = TimeSpan.FromSeconds(5);

    private readonly BrokerConnectionState _broker;
    private readonly ConfirmedPublisher _publisher;
    private readonly QueueAdmission _admission;
    private readonly JobQueueDeclaration _declaration;
    private readonly MessagingTelemetry _telemetry;
    private readonly IReadOnlyCollection<string> _queues;
    private readonly MessagingOptions _options;
    private readonly TimeProvider _time;

    internal JobPublisher(BrokerConnectionState broker, ConfirmedPublisher publisher, QueueAdmission admission, JobQueueDeclaration declaration, MessagingTelemetry telemetry,
        IEnumerable<JobQueues> queues, IOptions<MessagingOptions> options, TimeProvider time) =>
        (_broker, _publisher, _admission, _declaration, _telemetry, _queues, _options, _time) =
            (broker, publisher, admission, declaration, telemetry, [.. queues.SelectMany(some => some.Names).Distinct()], options.Value, time);

    async Task IBrokerSession.OpenAsync(IConnection connection, CancellationToken cancellationToken)
    {
        foreach (var queue in _queues)
        {
            await _declaration.DeclareAsync(connection, queue, cancellationToken);
        }
    }

    /// <summary>
    /// Publishes <paramref name="request"/> to <paramref name="queue"/>; its answer will come to <paramref name="replyQueue"/>. A request that is issued
    /// again goes to the lane beside the queue.
    /// </summary>
    /// <param name="request">The request.</param>
    /// <param name="queue">The queue of the model's version.</param>
    /// <param name="version">That version.</param>
    /// <param name="replyQueue">Where workers send the answer.</param>
    /// <param name="issue">0 for the first message of the request, one more for each further one.</param>
    /// <param name="cancellationToken">Ends the waiting for the broker's word.</param>
    /// <exception cref="InferenceException">413 if the request is larger than a message may be, 429 if the queue is full, 503 if the broker is away or the queue is missing.</exception>
    /// <exception cref="OperationCanceledException">The caller no longer waits for the broker's word; the queue may have the request or not.</exception>
    public async Task PublishAsync(InferenceRequest request, string queue, string version, string replyQueue, ushort issue, CancellationToken cancellationToken)
    {
        if (request.Body.Length > _options.MaxMessageSize)
        {
            throw new InferenceException(new InferenceError(ErrorKind.TooLarge, $"The request is larger than the {_options.MaxMessageSize} bytes that the message broker takes.", "request_too_large"));
        }

        if (!await IsBrokerOpenAsync(cancellationToken))
        {
            throw BrokerAway();
        }

        if (_broker.IsBlocked)
        {
            throw new InferenceException(InferenceError.Unavailable("The message broker is short of memory or disk space and takes nothing for now.", retryAfterSeconds: 10));
        }

        var lane = issue == 0 ? queue : Topology.ResumeQueue(queue);
        using var activity = MessagingTelemetry.StartSend(lane);
        var job = Describe(request, version, replyQueue, issue);
        job.Expiration = _declaration.DropsExpired(lane) ? Expiration(request.TimeLimit.Left) : null;
        var outcome = await _publisher.PublishAsync(Topology.JobExchange, lane, job, request.Body, cancellationToken).WaitAsync(cancellationToken);
        _telemetry.Sent(lane);
        switch (outcome)
        {
            case PublishOutcome.Confirmed:
                return;
            case PublishOutcome.Refused:
                activity?.SetStatus(ActivityStatusCode.Error, "The queue is full.");
                throw _admission.Full(queue, request.Model);
            case PublishOutcome.Returned:
                activity?.SetStatus(ActivityStatusCode.Error, "The queue does not exist.");
                throw new InferenceException(InferenceError.Unavailable($"The queue of model '{request.Model}' does not exist on the broker.", retryAfterSeconds: 5));
            default:
                activity?.SetStatus(ActivityStatusCode.Error, "The connection broke.");
                throw BrokerAway();
        }
    }

    // A program that has just started may ask before it is connected.
    private async ValueTask<bool> IsBrokerOpenAsync(CancellationToken cancellationToken)
    {
        if (!_broker.IsOpen && !_broker.Known.IsCompleted)
        {
            await _broker.Known.WaitAsync(_firstConnection, _time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            cancellationToken.ThrowIfCancellationRequested();
        }

        return _broker.IsOpen;
    }

    // Milliseconds that the broker counts by itself, from when it has the message; null beyond the 32 bits that it takes.
    private static string? Expiration(TimeSpan timeLeft) => Math.Max(0, Math.Ceiling(timeLeft.TotalMilliseconds)) is var milliseconds && milliseconds <= uint.MaxValue
        ? milliseconds.ToString(CultureInfo.InvariantCulture)
        : null;

    private static InferenceException BrokerAway() => new(InferenceError.Unavailable("The message broker is away.", retryAfterSeconds: 2));

    private static BasicProperties Describe(InferenceRequest request, string version, string replyQueue, ushort issue)
    {
        var headers = JobHeaders.Describe(request, version);
        headers[JobHeaders.Issue] = (int)issue;
        return new BasicProperties
        {
            Persistent = true,
            ContentType = "application/json",
            MessageId = request.RequestId.ToString(),
            Type = request.Operation.ToString(),
            ReplyTo = replyQueue,
            Headers = headers,
        };
    }
}
