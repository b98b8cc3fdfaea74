using AgentPlatform.Messaging.Broker;
using AgentPlatform.Messaging.Contracts;
using Microsoft.Extensions.Options;

namespace AgentPlatform.Messaging.Replies;

/// <summary>Sends the parts of answers from a worker to the gateways, many parts in one message.</summary>
/// <remarks>Safe for concurrent use.</remarks>
public sealed class FrameSender
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, FrameLane> _lanes = [];
    private readonly ConfirmedPublisher _publisher;
    private readonly MessagingTelemetry _telemetry;
    private readonly MessagingOptions _options;
    private readonly TimeProvider _time;

    internal FrameSender(ConfirmedPublisher publisher, MessagingTelemetry telemetry, IOptions<MessagingOptions> options, TimeProvider time) =>
        (_publisher, _telemetry, _options, _time) = (publisher, telemetry, options.Value, time);

    /// <summary>Begins an answer; dispose the writer when it is over, however it ended.</summary>
    public FrameWriter Open(string replyQueue, Guid requestId, ushort attempt)
    {
        lock (_lock)
        {
            if (!_lanes.TryGetValue(replyQueue, out var lane) || lane.IsDead)
            {
                _lanes[replyQueue] = lane = new FrameLane(replyQueue, _publisher, _telemetry, _options.CoalesceWindow, _time);
            }

            var writer = new FrameWriter(this, lane, requestId, attempt);
            lane.Add(writer);
            return writer;
        }
    }

    internal void Close(FrameWriter writer, FrameLane lane)
    {
        lock (_lock)
        {
            if (lane.Remove(writer) && _lanes.TryGetValue(lane.ReplyQueue, out var current) && current == lane)
            {
                _lanes.Remove(lane.ReplyQueue);
            }
        }
    }
}

/// <summary>Sends the parts of one answer, numbering them.</summary>
/// <remarks>One caller at a time.</remarks>
public sealed class FrameWriter : IDisposable
{
    private readonly CancellationTokenSource _gone = new();
    private readonly FrameSender _sender;
    private readonly FrameLane _lane;
    private readonly Guid _requestId;
    private readonly ushort _attempt;
    private uint _offset;

    internal FrameWriter(FrameSender sender, FrameLane lane, Guid requestId, ushort attempt) =>
        (_sender, _lane, _requestId, _attempt, Gone) = (sender, lane, requestId, attempt, _gone.Token);

    /// <summary>Cancelled when nobody can receive the answer any more: the gateway's queue is gone, or the connection.</summary>
    public CancellationToken Gone { get; }

    /// <summary>
    /// Whether the gateway's queue is gone, so that running the job again would be as useless. Otherwise an answer that did not
    /// arrive is still awaited, and its job must not be acknowledged.
    /// </summary>
    public bool IsGatewayGone => _lane.IsGatewayGone;

    /// <summary>Whether a frame of this answer waits in the lane for others; guarded by the lane.</summary>
    internal bool HasPending { get; set; }

    /// <summary>Whether the answer has begun to stream; guarded by the lane.</summary>
    internal bool IsStreaming { get; set; }

    /// <summary>Sends a part that others follow; copies the payload and does not wait.</summary>
    public void Write(ReplyKind kind, ReadOnlyMemory<byte> payload) =>
        _lane.Append(this, new Frame(_requestId, _attempt, _offset++, kind, payload));

    /// <summary>Sends the last part and waits until the broker has it, and with it all parts before; false if they did not all arrive.</summary>
    public async Task<bool> CompleteAsync(ReplyKind kind, ReadOnlyMemory<byte> payload) =>
        await _lane.AppendLast(this, new Frame(_requestId, _attempt, _offset++, kind, payload)) == PublishOutcome.Confirmed && !Gone.IsCancellationRequested;

    /// <inheritdoc/>
    public void Dispose()
    {
        _sender.Close(this, _lane);
        _gone.Dispose();
    }

    // A callback of the token may dispose of this writer; the lane therefore calls it outside of its lock.
    internal void SignalGone()
    {
        try
        {
            _gone.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // The answer was over before the lane could say so.
        }
    }
}
