using System.Runtime.InteropServices;

namespace AgentPlatform.OnnxChat.Sampling;

/// <summary>Chooses the tokens of one choice of one answer.</summary>
/// <remarks>
/// One caller at a time. The token at a place is a function of settings, generator, prompt, the tokens before it and the logits. Order of
/// the steps as in Hugging Face's and vLLM's samplers: bias and penalties, temperature, top-k, top-p, min-p.
/// </remarks>
internal sealed class TokenSampler
{
    private readonly SamplingSettings _settings;
    private readonly SplitMix64 _random;
    private readonly Dictionary<int, int> _counts = [];
    private readonly HashSet<int> _repeated = [];

    public TokenSampler(SamplingSettings settings, SplitMix64 random, IReadOnlyList<int> prompt)
    {
        (_settings, _random) = (settings, random);
        if (settings.RepetitionPenalty != 1)
        {
            _repeated.UnionWith(prompt);
        }
    }

    /// <summary>Takes note of a token of the answer.</summary>
    public void Add(int token)
    {
        if (_settings.ChangesLogits)
        {
            CollectionsMarshal.GetValueRefOrAddDefault(_counts, token, out _)++;
            _repeated.Add(token);
        }
    }

    /// <summary>The answer's token at <paramref name="place"/>.</summary>
    /// <param name="logits">The model's, one for each token.</param>
    /// <param name="place">How many tokens the answer has.</param>
    /// <param name="room">Memory to work in, which callers share.</param>
    public int Choose(ReadOnlySpan<float> logits, int place, SamplingRoom room)
    {
        if (_settings.ChangesLogits)
        {
            var changed = room.Logits(logits.Length);
            logits.CopyTo(changed);
            Change(changed);
            logits = changed;
        }

        return _settings.Temperature == 0 ? Likeliest(logits)
            : _settings.TopK > 0 || _settings.TopP < 1 ? DrawFromLikeliest(logits, place, room)
            : DrawFromAll(logits, place, room);
    }

    /// <summary>The token of the highest logit, the first of equal ones.</summary>
    public static int Likeliest(ReadOnlySpan<float> logits)
    {
        var best = -1;
        for (var token = 0; token < logits.Length; token++)
        {
            // NaN is above nothing.
            if (logits[token] > (best < 0 ? float.NegativeInfinity : logits[best]))
            {
                best = token;
            }
        }

        return best >= 0 ? best : throw new InvalidOperationException("The model's logits are not numbers.");
    }

    private void Change(Span<float> logits)
    {
        foreach (var (token, bias) in _settings.LogitBias)
        {
            logits[token] += bias;
        }

        if (_settings.RepetitionPenalty != 1)
        {
            foreach (var token in _repeated)
            {
                logits[token] = logits[token] > 0
                    ? logits[token] / _settings.RepetitionPenalty
                    : logits[token] * _settings.RepetitionPenalty;
            }
        }

        foreach (var (token, count) in _counts)
        {
            logits[token] -= _settings.PresencePenalty + (count * _settings.FrequencyPenalty);
        }
    }

    private int DrawFromAll(ReadOnlySpan<float> logits, int place, SamplingRoom room)
    {
        var likeliest = Likeliest(logits);
        var weights = room.Weights(logits.Length);
        var sum = 0.0;
        for (var token = 0; token < logits.Length; token++)
        {
            var weight = Weight(logits[token], logits[likeliest]);
            sum += weights[token] = weight >= _settings.MinP ? weight : 0;
        }

        return Draw(weights, sum, place, likeliest);
    }

    private int DrawFromLikeliest(ReadOnlySpan<float> logits, int place, SamplingRoom room)
    {
        var highest = logits[Likeliest(logits)];
        var isWhole = _settings.TopK == 0;
        var all = 0.0;
        for (var token = 0; isWhole && token < logits.Length; token++)
        {
            all += Weight(logits[token], highest);
        }

        // The k likeliest; without a k those that have top-p of all probability.
        var tokens = room.Tokens(logits.Length);
        var weights = room.Weights(logits.Length);
        var likeliest = new LikeliestFirst(logits, room.Heap(logits.Length));
        var (count, sum) = (0, 0.0);
        while ((isWhole ? count == 0 || sum < all * _settings.TopP : count < _settings.TopK) && likeliest.TryTake(out var token))
        {
            tokens[count] = token;
            sum += weights[count++] = Weight(logits[token], highest);
        }

        // Of the k likeliest, those that have top-p of their probability; then those that min-p leaves.
        var enough = isWhole ? double.PositiveInfinity : sum * _settings.TopP;
        var (kept, part) = (0, 0.0);
        while (kept < count && (kept == 0 || (part < enough && weights[kept] >= _settings.MinP)))
        {
            part += weights[kept++];
        }

        return tokens[Draw(weights[..kept], part, place, otherwise: 0)];
    }

    /// <summary>A token's probability over that of the likeliest.</summary>
    private double Weight(float logit, float highest) =>
        float.IsNaN(logit) ? 0 : Math.Exp(((double)logit - highest) / _settings.Temperature);

    private int Draw(ReadOnlySpan<double> weights, double sum, int place, int otherwise)
    {
        var left = _random.UniformAt(place) * sum;
        for (var index = 0; index < weights.Length; index++)
        {
            left -= weights[index];
            if (left < 0)
            {
                return index;
            }
        }

        // Only by rounding of the sum.
        return otherwise;
    }
}

/// <summary>Memory that samplers of one thread share, so that a token costs none.</summary>
internal sealed class SamplingRoom
{
    private float[] _logits = [];
    private double[] _weights = [];
    private int[] _tokens = [];
    private int[] _heap = [];

    public Span<float> Logits(int count) => Of(ref _logits, count);

    public Span<double> Weights(int count) => Of(ref _weights, count);

    public Span<int> Tokens(int count) => Of(ref _tokens, count);

    public Span<int> Heap(int count) => Of(ref _heap, count);

    private static Span<T> Of<T>(ref T[] room, int count)
    {
        room = room.Length < count ? new T[count] : room;
        return room.AsSpan(0, count);
    }
}
