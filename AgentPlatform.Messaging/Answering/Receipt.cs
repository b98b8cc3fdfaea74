using AgentPlatform.Inference;
using AgentPlatform.Messaging.Broker;

namespace AgentPlatform.Messaging.Answering;

/// <summary>
/// The broker's claim to hear what became of a message that it gave to this worker. It is settled once, by whoever comes first, and takes
/// one place of the prefetch until then.
/// </summary>
/// <remarks>Safe for concurrent use.</remarks>
public sealed class Receipt(ISettlement settlement, HeldMessages held, TimeProvider time)
{
    private readonly long _taken = time.GetTimestamp();
    private int _isSettled;

    /// <summary>How long it may take to settle; until the message has been read, no time at all.</summary>
    public TimeLimit Limit { get; set; } = new(TimeSpan.Zero, time);

    /// <summary>For how long it has been held.</summary>
    public TimeSpan Age => time.GetElapsedTime(_taken);

    /// <summary>The job is done. Does nothing when the message is lost, since it is not this worker's any more.</summary>
    public Task AcknowledgeAsync() => SettleAsync(settlement.AcknowledgeAsync);

    /// <summary>Gives the message back untouched; another worker takes it.</summary>
    public Task ReturnAsync() => SettleAsync(settlement.ReturnAsync);

    /// <summary>Nobody can do anything with the message: the broker puts it aside.</summary>
    public Task RejectAsync() => SettleAsync(settlement.RejectAsync);

    private async Task SettleAsync(Func<Task> settle)
    {
        if (Interlocked.Exchange(ref _isSettled, 1) != 0)
        {
            return;
        }

        try
        {
            await settle();
        }
        finally
        {
            held.Remove(this);
        }
    }
}
