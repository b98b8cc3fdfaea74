namespace AgentPlatform.Messaging.Contracts;

/// <summary>A <see cref="ReplyPart"/> with its address, as it travels from a worker to the gateway that waits for it.</summary>
/// <param name="RequestId">The request it answers.</param>
/// <param name="Attempt">Which run of the request made it: 0 for the first delivery, one more for each redelivery. Older attempts are ignored.</param>
/// <param name="Offset">Place in the attempt's sequence of frames, from 0, without gaps; the reader accepts only the next one.</param>
/// <param name="Kind">What the payload is.</param>
/// <param name="Payload">UTF-8; valid as long as the message that it was read from.</param>
public readonly record struct Frame(Guid RequestId, ushort Attempt, uint Offset, ReplyKind Kind, ReadOnlyMemory<byte> Payload);
