namespace AgentPlatform.Training.Networks;

/// <summary>
/// A bag of embeddings (sum over the square root of their number, beside the highest of each dimension, at least 0), one hidden
/// layer, and logits. Trained one comment at a time with Adagrad.
/// </summary>
internal sealed class BagNetwork
{
    private const float Epsilon = 1e-6f;

    private readonly NetworkOptions _options;
    private readonly Random _random;
    private readonly Parameters _embedding, _hiddenWeights, _hiddenBias, _outputWeights, _outputBias;
    private readonly float[] _start;
    private readonly float[] _bag, _bagGradient, _hidden, _hiddenGradient, _probabilities;
    private readonly int[] _highest;

    public BagNetwork(NetworkOptions options, int seed, IEnumerable<(long Id, float Positive, float Negative)> lexicon)
    {
        _options = options;
        _random = new Random(seed);
        _embedding = new Parameters(options.Buckets * options.Dimensions, 0.05f, _random);
        _hiddenWeights = new Parameters(2 * options.Dimensions * options.Hidden, 0.25f, _random);
        _hiddenBias = new Parameters(options.Hidden, 0, _random);
        _outputWeights = new Parameters(options.Hidden * options.Labels, 0.25f, _random);
        _outputBias = new Parameters(options.Labels, 0, _random);
        Array.Clear(_embedding.Values, 0, options.Dimensions);
        foreach (var (id, positive, negative) in lexicon)
        {
            _embedding.Values[id * options.Dimensions] = positive * options.LexiconScale;
            _embedding.Values[(id * options.Dimensions) + 1] = negative * options.LexiconScale;
        }

        _start = [.. _embedding.Values];
        (_bag, _bagGradient) = (new float[2 * options.Dimensions], new float[2 * options.Dimensions]);
        (_hidden, _hiddenGradient) = (new float[options.Hidden], new float[options.Hidden]);
        _probabilities = new float[options.Labels];
        _highest = new int[options.Dimensions];
    }

    /// <summary>Row-major [buckets, dimensions].</summary>
    public ReadOnlySpan<float> Embedding => _embedding.Values;

    /// <summary>Row-major [2 x dimensions, hidden].</summary>
    public ReadOnlySpan<float> HiddenWeights => _hiddenWeights.Values;

    public ReadOnlySpan<float> HiddenBias => _hiddenBias.Values;

    /// <summary>Row-major [hidden, labels].</summary>
    public ReadOnlySpan<float> OutputWeights => _outputWeights.Values;

    public ReadOnlySpan<float> OutputBias => _outputBias.Values;

    /// <summary>Learns from <paramref name="examples"/>, in an order and with gaps that only the seed decides.</summary>
    public void Train(IReadOnlyList<(long[] Ids, int Label)> examples)
    {
        var order = Enumerable.Range(0, examples.Count).ToArray();
        for (var epoch = 0; epoch < _options.Epochs; epoch++)
        {
            _random.Shuffle(order);
            foreach (var index in order)
            {
                var (ids, label) = examples[index];
                var kept = Array.FindAll(ids, _ => _random.NextSingle() >= _options.Dropout);
                Learn(kept.Length == 0 ? ids : kept, label);
            }
        }
    }

    private void Learn(long[] ids, int label)
    {
        Forward(ids);
        var (hidden, labels) = (_options.Hidden, _options.Labels);
        Array.Clear(_hiddenGradient);
        for (var output = 0; output < labels; output++)
        {
            var target = (output == label ? 1 - _options.Smoothing : 0) + (_options.Smoothing / labels);
            var gradient = _probabilities[output] - target;
            _outputBias.Step(output, gradient, _options.Rate);
            for (var unit = 0; unit < hidden; unit++)
            {
                var weight = (unit * labels) + output;
                _hiddenGradient[unit] += gradient * _outputWeights.Values[weight];
                _outputWeights.Step(weight, (gradient * _hidden[unit]) + (1e-4f * _outputWeights.Values[weight]), _options.Rate);
            }
        }

        Array.Clear(_bagGradient);
        for (var unit = 0; unit < hidden; unit++)
        {
            if (_hidden[unit] <= 0)
            {
                continue;
            }

            _hiddenBias.Step(unit, _hiddenGradient[unit], _options.Rate);
            for (var input = 0; input < _bag.Length; input++)
            {
                var weight = (input * hidden) + unit;
                _bagGradient[input] += _hiddenGradient[unit] * _hiddenWeights.Values[weight];
                _hiddenWeights.Step(weight, (_hiddenGradient[unit] * _bag[input]) + (1e-4f * _hiddenWeights.Values[weight]), _options.Rate);
            }
        }

        LearnEmbedding(ids);
    }

    private void LearnEmbedding(long[] ids)
    {
        var dimensions = _options.Dimensions;
        var share = 1 / MathF.Sqrt(ids.Length);
        for (var place = 0; place < ids.Length; place++)
        {
            var row = (int)ids[place] * dimensions;
            for (var dimension = 0; dimension < dimensions; dimension++)
            {
                var gradient = _bagGradient[dimension] * share;
                gradient += _highest[dimension] == place ? _bagGradient[dimensions + dimension] : 0;
                gradient += _options.Decay * (_embedding.Values[row + dimension] - _start[row + dimension]);
                _embedding.Step(row + dimension, gradient, _options.Rate);
            }
        }
    }

    private void Forward(long[] ids)
    {
        var (dimensions, hidden, labels) = (_options.Dimensions, _options.Hidden, _options.Labels);
        Array.Clear(_bag);
        Array.Fill(_highest, -1);
        for (var place = 0; place < ids.Length; place++)
        {
            var row = (int)ids[place] * dimensions;
            for (var dimension = 0; dimension < dimensions; dimension++)
            {
                var value = _embedding.Values[row + dimension];
                _bag[dimension] += value;
                if (value > _bag[dimensions + dimension])
                {
                    (_bag[dimensions + dimension], _highest[dimension]) = (value, place);
                }
            }
        }

        for (var dimension = 0; dimension < dimensions; dimension++)
        {
            _bag[dimension] /= MathF.Sqrt(ids.Length);
        }

        for (var unit = 0; unit < hidden; unit++)
        {
            var sum = _hiddenBias.Values[unit];
            for (var input = 0; input < _bag.Length; input++)
            {
                sum += _bag[input] * _hiddenWeights.Values[(input * hidden) + unit];
            }

            _hidden[unit] = Math.Max(0, sum);
        }

        var total = 0f;
        for (var output = 0; output < labels; output++)
        {
            var sum = _outputBias.Values[output];
            for (var unit = 0; unit < hidden; unit++)
            {
                sum += _hidden[unit] * _outputWeights.Values[(unit * labels) + output];
            }

            total += _probabilities[output] = MathF.Exp(sum);
        }

        for (var output = 0; output < labels; output++)
        {
            _probabilities[output] /= total;
        }
    }

    private sealed class Parameters(int count, float spread, Random random)
    {
        private readonly float[] _squares = new float[count];

        public float[] Values { get; } = [.. Enumerable.Range(0, count).Select(_ => spread * ((2 * random.NextSingle()) - 1))];

        public void Step(int index, float gradient, float rate)
        {
            _squares[index] += gradient * gradient;
            Values[index] -= rate * gradient / (MathF.Sqrt(_squares[index]) + Epsilon);
        }
    }
}
