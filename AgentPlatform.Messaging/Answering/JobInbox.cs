using System.Threading.Channels;
using AgentPlatform.Messaging.Broker;
using AgentPlatform.Messaging.Dead;
using AgentPlatform.Messaging.Telemetry;
using AgentPlatform.Messaging.Wire;
using Microsoft.Extensions.Logging;

namespace AgentPlatform.Messaging.Answering;

/// <summary>The jobs that the broker gave to this worker, as they come; what is not a job goes to the dead ones.</summary>
/// <remarks><see cref="ReadAsync"/> has one reader; everything else is safe for concurrent use.</remarks>
public sealed partial class JobInbox : IJobHandler
{
    // Unbounded in form only: the prefetch bounds what the broker sends.
    private readonly Channel<Delivery> _deliveries = Channel.CreateUnbounded<Delivery>(new UnboundedChannelOptions { SingleReader = true });
    private readonly JobSource _source;
    private readonly MessagingTelemetry _telemetry;
    private readonly DeadJobs _dead;
    private readonly HeldMessages _held;
    private readonly TimeProvider _time;
    private readonly RepeatedLog<(string? MessageId, string Reason)> _notJobs;
    private long _delivered;

    public JobInbox(
        JobSource source, DeadJobs dead, HeldMessages held, MessagingTelemetry telemetry, TimeProvider time, ILogger<JobInbox> logger)
    {
        (_source, _dead, _held, _telemetry, _time) = (source, dead, held, telemetry, time);
        _notJobs = new(time, (message, count) => NotAJob(logger, count, message.MessageId, message.Reason));
    }

    /// <summary>How many messages the broker has sent here.</summary>
    internal long Delivered => Interlocked.Read(ref _delivered);

    /// <summary>The jobs; ends after <see cref="Complete"/>.</summary>
    public IAsyncEnumerable<Delivery> ReadAsync(CancellationToken cancellationToken) => _deliveries.Reader.ReadAllAsync(cancellationToken);

    /// <summary>No further job is taken: one that comes all the same is given back.</summary>
    public void Complete() => _deliveries.Writer.TryComplete();

    /// <inheritdoc/>
    /// <remarks>The finally is the one place that sees to it that every message is handed over or settled, whatever is thrown.</remarks>
    public async Task HandleAsync(BrokerMessage message, ISettlement settlement, bool isRedelivered, CancellationToken lost)
    {
        Interlocked.Increment(ref _delivered);
        var receipt = _held.Take(settlement);
        var isHandedOver = false;
        try
        {
            _telemetry.Consumed(_source.Queue);
            var job = JobMessage.Read(message, _time);
            receipt.Limit = job.Request.TimeLimit;
            isHandedOver = _deliveries.Writer.TryWrite(new Delivery(receipt, job, _source.Queue, isRedelivered, lost));
            if (!isHandedOver)
            {
                await receipt.ReturnAsync();
            }
        }
        catch (FormatException e)
        {
            _telemetry.Malformed(_source.Queue);
            _notJobs.Write((message.Id, e.Message));
            if (await _dead.PublishMalformedAsync(message, _source.Queue, e.Message) == PublishOutcome.Confirmed)
            {
                await receipt.AcknowledgeAsync();
            }
        }
        finally
        {
            if (!isHandedOver)
            {
                await receipt.RejectAsync();
            }
        }
    }

    [LoggerMessage(LogLevel.Error, "Dead-lettered {Count} messages that are not jobs, the latest with the id {MessageId}: {Reason}")]
    private static partial void NotAJob(ILogger logger, int count, string? messageId, string reason);
}
