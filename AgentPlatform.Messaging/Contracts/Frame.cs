namespace AgentPlatform.Messaging.Contracts;

/// <summary>A <see cref="ReplyPart"/> with its address, as it travels from a worker to the gateway that waits for it.</summary>
/// <param name="RequestId">The request it answers.</param>
/// <param name="Attempt">Which run of the request made it. The gateway gives the numbers, each higher than those before: 0 is that of the first worker, others are in the answers to claims.</param>
/// <param name="Offset">
/// Place of a part in the answer, from 0, without gaps; the reader accepts only the next one. Of <see cref="ReplyKind.Started"/>: that of the first
/// part that will follow. Otherwise 0.
/// </param>
/// <param name="Kind">What the payload is.</param>
/// <param name="Payload">UTF-8; valid as long as the message that it was read from.</param>
/// <param name="Trail">See <see cref="ReplyPart.Trail"/>.</param>
public readonly record struct Frame(
    Guid RequestId, ushort Attempt, uint Offset, ReplyKind Kind, ReadOnlyMemory<byte> Payload, ReadOnlyMemory<byte> Trail = default);
