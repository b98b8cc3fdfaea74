namespace AgentPlatform.OnnxChat.Sampling;

/// <summary>How the next token is chosen from the model's logits; the names are those of OpenAI's and vLLM's requests.</summary>
internal sealed record SamplingSettings
{
    /// <summary>0 takes the likeliest token always.</summary>
    public float Temperature { get; init; }

    /// <summary>Only the likeliest tokens that together have this probability; 1 for all.</summary>
    public float TopP { get; init; } = 1;

    /// <summary>Only that many of the likeliest tokens; 0 for all.</summary>
    public int TopK { get; init; }

    /// <summary>Only tokens that have at least this part of the likeliest token's probability.</summary>
    public float MinP { get; init; }

    /// <summary>Taken from a token's logit once it is in the answer.</summary>
    public float PresencePenalty { get; init; }

    /// <summary>Taken from a token's logit for every time that it is in the answer.</summary>
    public float FrequencyPenalty { get; init; }

    /// <summary>
    /// Divides the positive logit, and multiplies the negative, of a token
    /// that is in the prompt or the answer; 1 for none (Keskar et al., 2019).
    /// </summary>
    public float RepetitionPenalty { get; init; } = 1;

    /// <summary>Added to the logits of tokens.</summary>
    public IReadOnlyDictionary<int, float> LogitBias { get; init; } = new Dictionary<int, float>();

    /// <summary>Whether logits are changed before a token is chosen.</summary>
    public bool ChangesLogits => PresencePenalty != 0 || FrequencyPenalty != 0 || RepetitionPenalty != 1 || LogitBias.Count > 0;
}
