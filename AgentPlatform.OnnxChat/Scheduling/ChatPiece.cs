using AgentPlatform.Inference.Chat;

namespace AgentPlatform.OnnxChat.Scheduling;

/// <summary>What a step adds to an answer.</summary>
/// <param name="Choice">Which choice it belongs to.</param>
/// <param name="Text">Characters, whole ones; may be empty when the choice ends.</param>
/// <param name="Tokens">The choice's tokens since its piece before.</param>
/// <param name="Logprobs">The tokens of this text; null if they were not asked for.</param>
/// <param name="FinishReason">Why the choice ends with it: <c>stop</c> or <c>length</c>; null if it continues.</param>
internal readonly record struct ChatPiece(
    int Choice, string Text, IReadOnlyList<int> Tokens, IReadOnlyList<TokenLogprob>? Logprobs, string? FinishReason);
