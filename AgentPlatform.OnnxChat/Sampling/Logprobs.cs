using AgentPlatform.Inference.Chat;

namespace AgentPlatform.OnnxChat.Sampling;

/// <summary>What the model itself thought of a token, before any setting of the request changed it.</summary>
internal static class Logprobs
{
    /// <summary>Natural logarithm of the sum that a softmax divides by, less which a logit is a log-probability.</summary>
    public static double Normalizer(ReadOnlySpan<float> logits)
    {
        var (highest, sum) = (float.NegativeInfinity, 0.0);
        foreach (var logit in logits)
        {
            highest = Math.Max(highest, logit);
        }

        foreach (var logit in logits)
        {
            sum += Math.Exp((double)logit - highest);
        }

        return highest + Math.Log(sum);
    }

    /// <summary>The token's, and those of the <paramref name="top"/> likeliest.</summary>
    public static TokenLogprob Of(int token, ReadOnlySpan<float> logits, int top, Func<int, byte[]> bytesOf, SamplingRoom room)
    {
        var normalizer = Normalizer(logits);
        var likeliest = new List<TokenProbability>(top);
        if (top > 0)
        {
            var first = new LikeliestFirst(logits, room.Heap(logits.Length));
            while (likeliest.Count < top && first.TryTake(out var other))
            {
                likeliest.Add(new TokenProbability(bytesOf(other), logits[other] - normalizer));
            }
        }

        return new TokenLogprob(new TokenProbability(bytesOf(token), logits[token] - normalizer), likeliest);
    }
}
