using AgentPlatform.Inference;
using AgentPlatform.Messaging.Broker;
using AgentPlatform.Messaging.Telemetry;
using AgentPlatform.Messaging.Wire;
using Microsoft.Extensions.Options;

namespace AgentPlatform.Messaging.Answering;

/// <summary>Sends the parts of answers from a worker to the gateways, many parts in one message.</summary>
/// <remarks>Safe for concurrent use.</remarks>
public sealed class FrameSender
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, FrameLane> _lanes = [];
    private readonly IReplySender _replies;
    private readonly MessagingTelemetry _telemetry;
    private readonly AnsweringOptions _options;
    private readonly TimeProvider _time;

    public FrameSender(IReplySender replies, MessagingTelemetry telemetry, IOptions<AnsweringOptions> options, TimeProvider time) =>
        (_replies, _telemetry, _options, _time) = (replies, telemetry, options.Value, time);

    /// <summary>Opens the way to the gateway of a request; dispose the writer when the request is over, however it ended.</summary>
    public FrameWriter Open(string replyQueue, Guid requestId)
    {
        lock (_lock)
        {
            if (!_lanes.TryGetValue(replyQueue, out var lane) || lane.IsDead)
            {
                _lanes[replyQueue] = lane = new FrameLane(replyQueue, _replies, _telemetry, _options, _time);
            }

            var writer = new FrameWriter(this, lane, requestId);
            lane.Add(writer);
            return writer;
        }
    }

    /// <summary>The queues of gateways whose requests are here.</summary>
    internal IReadOnlyCollection<string> ReplyQueues
    {
        get
        {
            lock (_lock)
            {
                return [.. _lanes.Keys];
            }
        }
    }

    /// <summary>Nobody waits at the queue any more: every writer that leads there hears of it.</summary>
    /// <returns>How many there were.</returns>
    internal int Abandon(string replyQueue)
    {
        lock (_lock)
        {
            return _lanes.Remove(replyQueue, out var lane) ? lane.Abandon() : 0;
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

/// <summary>Sends the parts of one answer, numbering them, and while there is none from time to time that the worker is alive.</summary>
/// <remarks>One caller at a time.</remarks>
public sealed class FrameWriter : IDisposable
{
    private readonly CancellationTokenSource _gone = new();
    private readonly FrameSender _sender;
    private readonly FrameLane _lane;
    private readonly Guid _requestId;
    private ushort _attempt;
    private uint _offset;

    internal FrameWriter(FrameSender sender, FrameLane lane, Guid requestId) =>
        (_sender, _lane, _requestId, Gone) = (sender, lane, requestId, _gone.Token);

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

    /// <summary>Whether something was sent since the last look; guarded by the lane.</summary>
    internal bool HasSpoken { get; set; }

    /// <summary>
    /// Whether the answer is one of this worker's, so that the gateway is to know while it is alive; guarded by the lane.
    /// </summary>
    internal bool IsBegun { get; set; }

    /// <summary>This worker works on the request from now on, and says so from time to time.</summary>
    /// <param name="attempt">The number of its run.</param>
    /// <param name="offset">That of the first part it will send.</param>
    public void Begin(ushort attempt, uint offset)
    {
        (_attempt, _offset) = (attempt, offset);
        _lane.Begin(this);
    }

    /// <summary>Sends a question to the gateway.</summary>
    public void Ask(ReadOnlyMemory<byte> claim) => _lane.Append(this, new Frame(_requestId, 0, 0, FrameKind.Claim, claim));

    /// <summary>The engine began; does not wait.</summary>
    public void Start(ReadOnlyMemory<byte> note) => _lane.Append(this, new Frame(_requestId, _attempt, _offset, FrameKind.Started, note));

    /// <summary>
    /// Says that the engine begins, and waits until the broker knows: for a job that may end this process as soon as its engine has it.
    /// </summary>
    public Task StartAsync(ReadOnlyMemory<byte> note) =>
        _lane.AppendUrgent(this, new Frame(_requestId, _attempt, _offset, FrameKind.Started, note));

    /// <summary>Sends a part that others follow; copies it and does not wait.</summary>
    /// <exception cref="OverflowException">Its resume state is longer than 65,535 bytes. Nothing was sent, and another part may
    /// follow.</exception>
    public void Write(in ReplyPart part)
    {
        _lane.Append(this, new Frame(_requestId, _attempt, _offset, part.Kind.ToFrameKind(), part.Payload, part.ResumeState));
        _offset++;
    }

    /// <summary>
    /// Sends the last part and waits until the broker has it, and with it all parts before; false if they did not all arrive.
    /// </summary>
    public Task<bool> CompleteAsync(ReplyPart part) =>
        SendLastAsync(new Frame(_requestId, _attempt, _offset++, part.Kind.ToFrameKind(), part.Payload));

    /// <summary>Ends the answer with an error instead of a last part; true once the broker has it.</summary>
    /// <param name="error">The failure.</param>
    /// <param name="worker">Name of this worker.</param>
    public Task<bool> FailAsync(InferenceError error, string worker) =>
        SendLastAsync(new Frame(_requestId, _attempt, _offset++, FrameKind.Error, ErrorNote.ToUtf8(error, worker)));

    /// <summary>Gives the request back: nothing more comes from this worker. False if that did not arrive.</summary>
    public Task<bool> ReturnAsync() => SendLastAsync(new Frame(_requestId, _attempt, 0, FrameKind.Returned, default));

    /// <inheritdoc/>
    public void Dispose()
    {
        _sender.Close(this, _lane);
        _gone.Dispose();
    }

    internal Frame Alive() => new(_requestId, _attempt, 0, FrameKind.Alive, default);

    private async Task<bool> SendLastAsync(Frame frame) => await _lane.AppendLast(this, frame) == PublishOutcome.Confirmed
        && !Gone.IsCancellationRequested;

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
