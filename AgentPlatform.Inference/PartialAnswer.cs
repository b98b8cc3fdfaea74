namespace AgentPlatform.Inference;

/// <summary>The beginning of an answer whose worker was lost: what its gateway has of it.</summary>
/// <param name="Parts">How many <see cref="ReplyKind.Delta"/> parts there are; the next one has this number.</param>
/// <param name="ResumeState">Their <see cref="ReplyPart.ResumeState"/>s, one behind the other.</param>
public sealed record PartialAnswer(uint Parts, ReadOnlyMemory<byte> ResumeState);
