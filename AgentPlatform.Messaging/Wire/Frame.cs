using AgentPlatform.Inference;

namespace AgentPlatform.Messaging.Wire;

/// <summary>What a <see cref="Frame"/> is. The numbers are on the wire; never reuse one.</summary>
public enum FrameKind : byte
{
    /// <summary>A frame that cannot be read. Never on the wire.</summary>
    Unreadable = 0,

    /// <summary>The engine began; payload: a <see cref="StartedNote"/> as JSON. Says nothing of success.</summary>
    Started = 1,

    /// <summary>A <see cref="ReplyKind.Delta"/>.</summary>
    Delta = 2,

    /// <summary>A <see cref="ReplyKind.Result"/>.</summary>
    Result = 3,

    /// <summary>A <see cref="ReplyKind.End"/>.</summary>
    End = 4,

    /// <summary>The request failed; payload: an <see cref="ErrorNote"/> as JSON.</summary>
    Error = 5,

    /// <summary>The worker has the request and is alive, though it has nothing to send.</summary>
    Alive = 6,

    /// <summary>
    /// A worker asks whether it is to work on a request that somebody may have begun; payload: a <see cref="ClaimNote"/> as JSON.
    /// </summary>
    Claim = 7,

    /// <summary>The worker stops and gives the request back in good order; another one goes on.</summary>
    Returned = 8,
}

/// <summary>The kinds of frames that carry a part of an answer.</summary>
internal static class FrameKinds
{
    /// <summary>The frame of a part.</summary>
    public static FrameKind ToFrameKind(this ReplyKind kind) => (FrameKind)kind;

    /// <summary>The part in a frame.</summary>
    public static ReplyKind ToReplyKind(this FrameKind kind) => kind is FrameKind.Delta or FrameKind.Result or FrameKind.End
        ? (ReplyKind)kind
        : throw new ArgumentOutOfRangeException(nameof(kind), kind, "A frame of this kind carries no part of an answer.");
}

/// <summary>A <see cref="ReplyPart"/> with its address, as it travels from a worker to the gateway that waits for it.</summary>
/// <param name="RequestId">The request it answers.</param>
/// <param name="Attempt">Which run of the request made it. The gateway gives the numbers, each higher than those before: 0 is that of the
/// first worker, others are in the answers to claims.</param>
/// <param name="Offset">Place of a part in the answer, from 0, without gaps; the reader accepts only the next one. Of
/// <see cref="FrameKind.Started"/>: that of the first part that will follow. Otherwise 0.</param>
/// <param name="Kind">What the payload is.</param>
/// <param name="Payload">UTF-8; valid as long as the message that it was read from.</param>
/// <param name="ResumeState">See <see cref="ReplyPart.ResumeState"/>.</param>
public readonly record struct Frame(
    Guid RequestId, ushort Attempt, uint Offset, FrameKind Kind, ReadOnlyMemory<byte> Payload, ReadOnlyMemory<byte> ResumeState = default);
