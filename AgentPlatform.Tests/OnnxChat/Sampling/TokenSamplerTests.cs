using AgentPlatform.OnnxChat.Sampling;

namespace AgentPlatform.Tests.OnnxChat.Sampling;

public sealed class TokenSamplerTests
{
    // Probabilities at temperature 1: 0.5, 0.25, 0.125, 0.0625, 0.0625.
    private static readonly float[] _logits =
    [
        MathF.Log(0.125f), MathF.Log(0.5f), MathF.Log(0.0625f), MathF.Log(0.25f), MathF.Log(0.0625f),
    ];

    private readonly SamplingRoom _room = new();

    [Fact]
    public void Choose_AtTemperatureZero_TakesTheHighestAndTheFirstOfEqualOnes()
    {
        Assert.Equal(1, Sampler(new()).Choose(_logits, 0, _room));
        Assert.Equal(0, Sampler(new()).Choose([2, 1, 2], 0, _room));
        Assert.Equal(2, Sampler(new()).Choose([float.NaN, float.NegativeInfinity, -5], 0, _room));
    }

    [Fact]
    public void Choose_LogitsAreNoNumbers_Fails() =>
        Assert.Throws<InvalidOperationException>(() => Sampler(new() { Temperature = 1 }).Choose([float.NaN, float.NaN], 0, _room));

    [Theory]
    [InlineData(1f, 1f, 0, 0f, new[] { 0.125, 0.5, 0.0625, 0.25, 0.0625 })]
    [InlineData(1f, 0.7f, 0, 0f, new[] { 0, 2.0 / 3, 0, 1.0 / 3, 0 })]
    [InlineData(1f, 1f, 1, 0f, new[] { 0, 1.0, 0, 0, 0 })]
    [InlineData(1f, 1f, 3, 0f, new[] { 1.0 / 7, 4.0 / 7, 0, 2.0 / 7, 0 })]
    [InlineData(1f, 0.8f, 3, 0f, new[] { 0, 2.0 / 3, 0, 1.0 / 3, 0 })]
    [InlineData(1f, 1f, 0, 0.3f, new[] { 0, 2.0 / 3, 0, 1.0 / 3, 0 })]
    [InlineData(1f, 0.9f, 0, 0.3f, new[] { 0, 2.0 / 3, 0, 1.0 / 3, 0 })]
    [InlineData(2f, 1f, 2, 0f, new[] { 0, 0.5857864, 0, 0.4142136, 0 })]
    [InlineData(1f, 0f, 0, 0f, new[] { 0, 1.0, 0, 0, 0 })]
    public void Choose_ManyTimes_FollowsTheDistributionThatTheSettingsLeave(
        float temperature, float topP, int topK, float minP, double[] expected)
    {
        const int draws = 20_000;
        var sampler = Sampler(new() { Temperature = temperature, TopP = topP, TopK = topK, MinP = minP });
        var counts = new int[_logits.Length];
        for (var place = 0; place < draws; place++)
        {
            counts[sampler.Choose(_logits, place, _room)]++;
        }

        for (var token = 0; token < counts.Length; token++)
        {
            Assert.Equal(expected[token], counts[token] / (double)draws, tolerance: 0.015);
            Assert.Equal(expected[token] == 0, counts[token] == 0);
        }
    }

    [Fact]
    public void Choose_SamePlaceAndSeed_DrawsTheSame()
    {
        var settings = new SamplingSettings { Temperature = 1 };
        int[] Draw(ulong seed) => [.. Enumerable.Range(0, 50).Select(place => Sampler(settings, seed).Choose(_logits, place, _room))];
        Assert.Equal(Draw(1), Draw(1));
        Assert.NotEqual(Draw(1), Draw(2));
    }

    [Fact]
    public void Choose_WithBiasAndPenalties_ChangesLogitsAsTheirDefinitionsSay()
    {
        Assert.Equal(4, Sampler(new() { LogitBias = new Dictionary<int, float> { [4] = 100, [1] = -100 } }).Choose(_logits, 0, _room));

        var presence = Sampler(new() { PresencePenalty = 1 });
        presence.Add(1);
        Assert.Equal(3, presence.Choose(_logits, 1, _room));

        // 0.4 once is too little against a distance of log 2, twice is enough.
        var frequency = Sampler(new() { FrequencyPenalty = 0.4f });
        frequency.Add(1);
        Assert.Equal(1, frequency.Choose(_logits, 1, _room));
        frequency.Add(1);
        Assert.Equal(3, frequency.Choose(_logits, 2, _room));

        // Of the prompt too: token 1, whose logit is negative, is made less likely by multiplying it.
        Assert.Equal(3, new TokenSampler(new() { RepetitionPenalty = 3 }, new SplitMix64(1), [1]).Choose(_logits, 0, _room));
        Assert.Equal(0, new TokenSampler(new() { RepetitionPenalty = 1.5f }, new SplitMix64(1), [1]).Choose([2, 2.5f], 0, _room));
    }

    [Fact]
    public void Of_ATokensLogprob_IsThatOfTheSoftmaxAndAllAddUpToOne()
    {
        byte[] Name(int token) => [(byte)token];
        var logprob = Logprobs.Of(3, _logits, 5, Name, _room);
        Assert.Equal(Math.Log(0.25), logprob.Chosen.Logprob, tolerance: 1e-6);
        Assert.Equal([1, 3, 0, 2, 4], logprob.Top.Select(token => (int)token.Bytes.Span[0]));
        Assert.Equal(1, logprob.Top.Sum(token => Math.Exp(token.Logprob)), tolerance: 1e-6);
    }

    [Fact]
    public void UniformAt_IsSplitMix64()
    {
        // The generator's first number for the seed 1234567 is 6457827717110365317
        // (https://rosettacode.org/wiki/Pseudo-random_numbers/Splitmix64).
        Assert.Equal((6457827717110365317UL >> 11) / (double)(1UL << 53), new SplitMix64(1234567).UniformAt(0));
        Assert.Equal((3203168211198807973UL >> 11) / (double)(1UL << 53), new SplitMix64(1234567).UniformAt(1));
        Assert.NotEqual(new SplitMix64(5).Split(1).UniformAt(0), new SplitMix64(5).UniformAt(0));
    }

    private static TokenSampler Sampler(SamplingSettings settings, ulong seed = 7) => new(settings, new SplitMix64(seed), []);
}
