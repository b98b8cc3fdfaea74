namespace AgentPlatform.Messaging.Contracts;

/// <summary>The beginning of an answer whose worker was lost: what its gateway has of it.</summary>
/// <param name="Parts">How many <see cref="ReplyKind.Delta"/> parts there are; the next one has this number.</param>
/// <param name="Trail">Their <see cref="ReplyPart.Trail"/>s, one behind the other.</param>
public sealed record PartialAnswer(uint Parts, ReadOnlyMemory<byte> Trail);
