using AgentPlatform.Inference;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;

namespace AgentPlatform.Messaging.Jobs;

/// <summary>
/// The broker's claim to hear what became of a message that it gave to this worker: a delivery tag means nothing on another channel, so the
/// tag never leaves it. It is settled once, by whoever comes first, and takes one place of the prefetch until then.
/// </summary>
/// <remarks>Safe for concurrent use.</remarks>
internal sealed class Receipt(IChannel channel, ulong tag, HeldMessages held, TimeProvider time)
{
    private readonly long _taken = time.GetTimestamp();
    private int _isSettled;

    /// <summary>How long it may take to settle; until the message has been read, no time at all.</summary>
    public TimeLimit Limit { get; set; } = new(TimeSpan.Zero, time);

    /// <summary>For how long it has been held.</summary>
    public TimeSpan Age => time.GetElapsedTime(_taken);

    /// <summary>The job is done. Does nothing when the message is lost, since it is not this worker's any more.</summary>
    public Task AcknowledgeAsync() => SettleAsync(() => channel.BasicAckAsync(tag, multiple: false, CancellationToken.None));

    /// <summary>Gives the message back untouched; another worker takes it.</summary>
    public Task ReturnAsync() => SettleAsync(() => channel.BasicNackAsync(tag, multiple: false, requeue: true, CancellationToken.None));

    /// <summary>Nobody can do anything with the message: the broker puts it aside.</summary>
    public Task RejectAsync() => SettleAsync(() => channel.BasicRejectAsync(tag, requeue: false, CancellationToken.None));

    private async Task SettleAsync(Func<ValueTask> settle)
    {
        if (Interlocked.Exchange(ref _isSettled, 1) != 0)
        {
            return;
        }

        try
        {
            await settle();
        }
        catch (Exception e) when (e is AlreadyClosedException or OperationInterruptedException or IOException or ObjectDisposedException)
        {
            // The channel is gone and the broker has requeued the message.
        }
        finally
        {
            held.Remove(this);
        }
    }
}
