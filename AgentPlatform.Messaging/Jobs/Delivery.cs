using System.Diagnostics;
using AgentPlatform.Messaging.Contracts;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;

namespace AgentPlatform.Messaging.Jobs;

/// <summary>
/// A job that the broker gave to this worker, with the only way to acknowledge it: a delivery tag means nothing on another
/// channel, so the tag never leaves the delivery. Settle it once; until then it occupies one place of the prefetch.
/// </summary>
public sealed class Delivery
{
    private readonly IChannel _channel;
    private readonly ulong _tag;

    internal Delivery(IChannel channel, ulong tag, InferenceRequest request, string queue, string replyQueue, ushort issue, bool isRepeated, ActivityContext trace, CancellationToken lost)
    {
        (_channel, _tag, Request, Queue, ReplyQueue, Issue, IsRepeated, Trace, Lost) = (channel, tag, request, queue, replyQueue, issue, isRepeated, trace, lost);
    }

    /// <summary>What is asked.</summary>
    public InferenceRequest Request { get; }

    /// <summary>The queue that the job came from.</summary>
    public string Queue { get; }

    /// <summary>Where the answer goes.</summary>
    public string ReplyQueue { get; }

    /// <summary>Which message of the request it is: 0 for the first, one more for each time that its gateway issued it again.</summary>
    public ushort Issue { get; }

    /// <summary>Whether some worker may have had the request before, so that its gateway is to be asked (<see cref="Control.Claims"/>).</summary>
    public bool IsRepeated { get; }

    /// <summary>Cancelled when the channel closed: the broker gives the job to another worker, and this one's work is waste.</summary>
    public CancellationToken Lost { get; }

    internal ActivityContext Trace { get; }

    /// <summary>Begins the span of the work on this job, a child of the publisher's.</summary>
    public Activity? StartProcessing() => MessagingTelemetry.StartProcess(Queue, Trace);

    /// <summary>The job is done. Does nothing when the delivery is lost, since it is not this worker's any more.</summary>
    public Task AcknowledgeAsync() => SettleAsync(() => _channel.BasicAckAsync(_tag, multiple: false, CancellationToken.None));

    /// <summary>Gives the job back untouched; another worker takes it.</summary>
    public Task ReturnAsync() => SettleAsync(() => _channel.BasicNackAsync(_tag, multiple: false, requeue: true, CancellationToken.None));

    private static async Task SettleAsync(Func<ValueTask> settle)
    {
        try
        {
            await settle();
        }
        catch (Exception e) when (e is AlreadyClosedException or OperationInterruptedException or IOException or ObjectDisposedException)
        {
            // The channel is gone and the broker has requeued the job.
        }
    }
}
