using AgentPlatform.OnnxChat.Sampling;

namespace AgentPlatform.OnnxChat.Scheduling;

/// <summary>What a request asks of its answer.</summary>
internal sealed record ChatSettings
{
    public SamplingSettings Sampling { get; init; } = new();

    /// <summary>What random numbers are made from.</summary>
    public ulong Seed { get; init; }

    /// <summary>How many answers to the one prompt.</summary>
    public int Choices { get; init; } = 1;

    /// <summary>Most tokens of a choice.</summary>
    public int MaxTokens { get; init; } = int.MaxValue;

    /// <summary>Tokens by which the model ends an answer.</summary>
    public IReadOnlySet<int> EndTokens { get; init; } = new HashSet<int>();

    /// <summary>Strings before which an answer ends.</summary>
    public IReadOnlyList<string> Stops { get; init; } = [];

    /// <summary>Whether the probabilities of tokens are wanted.</summary>
    public bool Logprobs { get; init; }

    /// <summary>And those of how many of the likeliest tokens at each place.</summary>
    public int TopLogprobs { get; init; }
}
