using System.Diagnostics;
using AgentPlatform.Inference;
using AgentPlatform.Messaging.Telemetry;
using AgentPlatform.Messaging.Wire;

namespace AgentPlatform.Messaging.Answering;

/// <summary>
/// A job that the broker gave to this worker, with the only way to settle it. Settle it once; until then it occupies one place of the
/// prefetch.
/// </summary>
/// <remarks>Safe for concurrent use. Of several ways to settle it the first one counts.</remarks>
public sealed class Delivery
{
    private readonly Receipt _receipt;
    private readonly JobMessage _job;

    internal Delivery(Receipt receipt, JobMessage job, string queue, bool isRedelivered, CancellationToken lost) =>
        (_receipt, _job, Queue, IsRepeated, Lost) = (receipt, job, queue, isRedelivered || job.Issue > 0, lost);

    /// <summary>What is asked.</summary>
    public InferenceRequest Request => _job.Request;

    /// <summary>The queue that the job came from.</summary>
    public string Queue { get; }

    /// <summary>Where the answer goes.</summary>
    public string ReplyQueue => _job.ReplyQueue;

    /// <summary>Which message of the request it is: 0 for the first, one more for each time that its gateway issued it again.</summary>
    public ushort Issue => _job.Issue;

    /// <summary>
    /// Whether some worker may have had the request before, so that its gateway is to be asked (<see cref="TakeoverQuestions"/>).
    /// </summary>
    public bool IsRepeated { get; }

    /// <summary>Cancelled when the channel closed: the broker gives the job to another worker, and this one's work is waste.</summary>
    public CancellationToken Lost { get; }

    /// <summary>Begins the span of the work on this job, a child of the publisher's.</summary>
    public Activity? StartProcessing() => MessagingTelemetry.StartProcess(Queue, _job.Trace);

    /// <summary>The job is done. Does nothing when the delivery is lost, since it is not this worker's any more.</summary>
    public Task AcknowledgeAsync() => _receipt.AcknowledgeAsync();

    /// <summary>Gives the job back untouched; another worker takes it.</summary>
    public Task ReturnAsync() => _receipt.ReturnAsync();

    /// <summary>Nobody can do the job: the broker puts it into the queue of dead jobs.</summary>
    public Task RejectAsync() => _receipt.RejectAsync();
}
