using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace AgentPlatform.Training.Networks;

/// <summary>
/// A bag of embeddings (sum over the square root of their number, beside the highest of each dimension, at least 0), one hidden
/// layer, and logits. Trained one comment at a time with Adagrad.
/// </summary>
/// <remarks>Eight numbers at a time, on every machine, so that sums are rounded alike everywhere.</remarks>
internal sealed class BagNetwork
{
    private const int Lanes = 8;
    private const float Epsilon = 1e-6f;
    private const float WeightDecay = 1e-4f;

    private readonly NetworkOptions _options;
    private readonly Random _random;
    private readonly Parameters _embedding, _hiddenWeights, _hiddenBias, _outputWeights, _outputBias;
    private readonly float[] _start;
    private readonly float[] _bag, _bagGradient, _hidden, _hiddenGradient, _probabilities;
    private readonly int[] _highest;

    /// <summary>
    /// A network of <paramref name="rows"/> embeddings, of which row 0 stays zeros; <paramref name="known"/> says where some begin.
    /// </summary>
    public BagNetwork(NetworkOptions options, int rows, int seed, IEnumerable<(int Row, float Positive, float Negative)> known)
    {
        _options = options;
        _random = new Random(seed);
        _embedding = new Parameters(rows * options.Dimensions, 0.05f, _random);
        _hiddenWeights = new Parameters(2 * options.Dimensions * options.Hidden, 0.25f, _random);
        _hiddenBias = new Parameters(options.Hidden, 0, _random);
        _outputWeights = new Parameters(options.Hidden * options.Labels, 0.25f, _random);
        _outputBias = new Parameters(options.Labels, 0, _random);
        Array.Clear(_embedding.Values, 0, options.Dimensions);
        foreach (var (row, positive, negative) in known)
        {
            _embedding.Values[row * options.Dimensions] = positive * options.LexiconScale;
            _embedding.Values[(row * options.Dimensions) + 1] = negative * options.LexiconScale;
        }

        _start = [.. _embedding.Values];
        (_bag, _bagGradient) = (new float[2 * options.Dimensions], new float[2 * options.Dimensions]);
        (_hidden, _hiddenGradient) = (new float[options.Hidden], new float[options.Hidden]);
        _probabilities = new float[options.Labels];
        _highest = new int[options.Dimensions];
    }

    /// <summary>Row-major [rows, dimensions].</summary>
    public ReadOnlySpan<float> Embedding => _embedding.Values;

    /// <summary>Row-major [2 x dimensions, hidden].</summary>
    public ReadOnlySpan<float> HiddenWeights => _hiddenWeights.Values;

    public ReadOnlySpan<float> HiddenBias => _hiddenBias.Values;

    /// <summary>Row-major [hidden, labels].</summary>
    public ReadOnlySpan<float> OutputWeights => _outputWeights.Values;

    public ReadOnlySpan<float> OutputBias => _outputBias.Values;

    /// <summary>Learns from <paramref name="examples"/>, in an order and with gaps that only the seed decides.</summary>
    public void Train(IReadOnlyList<(int[] Rows, int Label)> examples)
    {
        var order = Enumerable.Range(0, examples.Count).ToArray();
        for (var epoch = 0; epoch < _options.Epochs; epoch++)
        {
            _random.Shuffle(order);
            foreach (var index in order)
            {
                var (rows, label) = examples[index];
                var kept = Array.FindAll(rows, _ => _random.NextSingle() >= _options.Dropout);
                Learn(kept.Length == 0 ? rows : kept, label);
            }
        }
    }

    /// <summary>The logarithms of the labels' probabilities.</summary>
    public float[] Logits(int[] rows)
    {
        Forward(rows);
        return Array.ConvertAll(_probabilities, probability => MathF.Log(probability + 1e-20f));
    }

    private void Learn(int[] rows, int label)
    {
        Forward(rows);
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
                _outputWeights.Step(weight, (gradient * _hidden[unit]) + (WeightDecay * _outputWeights.Values[weight]), _options.Rate);
            }
        }

        for (var unit = 0; unit < hidden; unit++)
        {
            if (_hidden[unit] <= 0)
            {
                _hiddenGradient[unit] = 0;
            }
            else
            {
                _hiddenBias.Step(unit, _hiddenGradient[unit], _options.Rate);
            }
        }

        for (var input = 0; input < _bag.Length; input++)
        {
            var sum = Vector256<float>.Zero;
            for (var unit = 0; unit < hidden; unit += Lanes)
            {
                var gradient = Load(_hiddenGradient, unit);
                var weight = (input * hidden) + unit;
                var values = Load(_hiddenWeights.Values, weight);
                sum += gradient * values;

                // Units that are off learn nothing, not even decay.
                var decay = Vector256.ConditionalSelect(
                    Vector256.Equals(gradient, Vector256<float>.Zero), Vector256<float>.Zero, values * WeightDecay);
                _hiddenWeights.Step(weight, (gradient * _bag[input]) + decay, _options.Rate);
            }

            _bagGradient[input] = Vector256.Sum(sum);
        }

        LearnEmbedding(rows);
    }

    private void LearnEmbedding(int[] rows)
    {
        var dimensions = _options.Dimensions;
        var share = 1 / MathF.Sqrt(rows.Length);
        for (var place = 0; place < rows.Length; place++)
        {
            if (rows[place] == 0)
            {
                continue;
            }

            for (var dimension = 0; dimension < dimensions; dimension += Lanes)
            {
                var index = (rows[place] * dimensions) + dimension;
                var isHighest = Vector256.Equals(Vector256.LoadUnsafe(
                    ref MemoryMarshal.GetArrayDataReference(_highest), (nuint)dimension), Vector256.Create(place)).AsSingle();
                var gradient = (Load(_bagGradient, dimension) * share)
                    + Vector256.ConditionalSelect(isHighest, Load(_bagGradient, dimensions + dimension), Vector256<float>.Zero)
                    + ((Load(_embedding.Values, index) - Load(_start, index)) * _options.Decay);
                _embedding.Step(index, gradient, _options.Rate);
            }
        }
    }

    private void Forward(int[] rows)
    {
        var (dimensions, hidden, labels) = (_options.Dimensions, _options.Hidden, _options.Labels);
        for (var dimension = 0; dimension < dimensions; dimension += Lanes)
        {
            var (sum, maximum, highest) = (Vector256<float>.Zero, Vector256<float>.Zero, Vector256.Create(-1));
            for (var place = 0; place < rows.Length; place++)
            {
                var values = Load(_embedding.Values, (rows[place] * dimensions) + dimension);
                sum += values;
                var isHigher = Vector256.GreaterThan(values, maximum);
                maximum = Vector256.ConditionalSelect(isHigher, values, maximum);
                highest = Vector256.ConditionalSelect(isHigher.AsInt32(), Vector256.Create(place), highest);
            }

            (sum / MathF.Sqrt(rows.Length)).CopyTo(_bag, dimension);
            maximum.CopyTo(_bag, dimensions + dimension);
            highest.CopyTo(_highest, dimension);
        }

        for (var unit = 0; unit < hidden; unit += Lanes)
        {
            var sum = Load(_hiddenBias.Values, unit);
            for (var input = 0; input < _bag.Length; input++)
            {
                sum += Load(_hiddenWeights.Values, (input * hidden) + unit) * _bag[input];
            }

            Vector256.Max(sum, Vector256<float>.Zero).CopyTo(_hidden, unit);
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

    private static Vector256<float> Load(float[] values, int index) =>
        Vector256.LoadUnsafe(ref MemoryMarshal.GetArrayDataReference(values), (nuint)index);

    private sealed class Parameters(int count, float spread, Random random)
    {
        private readonly float[] _squares = new float[count];

        public float[] Values { get; } = [.. Enumerable.Range(0, count).Select(_ => spread * ((2 * random.NextSingle()) - 1))];

        public void Step(int index, float gradient, float rate)
        {
            _squares[index] += gradient * gradient;
            Values[index] -= rate * gradient / (MathF.Sqrt(_squares[index]) + Epsilon);
        }

        public void Step(int index, Vector256<float> gradient, float rate)
        {
            var squares = Load(_squares, index) + (gradient * gradient);
            squares.CopyTo(_squares, index);
            (Load(Values, index) - (gradient * rate / (Vector256.Sqrt(squares) + Vector256.Create(Epsilon)))).CopyTo(Values, index);
        }
    }
}
