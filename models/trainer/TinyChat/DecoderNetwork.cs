using AgentPlatform.Training.Decoder;
using TorchSharp.Modules;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace AgentPlatform.Trainer.TinyChat;

/// <summary>
/// The decoder as PyTorch trains it: the same computation as
/// <see cref="DecoderOnnx"/> writes, over whole sequences padded on the right.
/// </summary>
internal sealed class DecoderNetwork : IDisposable
{
    private readonly DecoderShape _shape;
    private readonly double _dropout;
    private readonly Parameter _embedding, _finalNorm;
    private readonly Layer[] _layers;
    private readonly Tensor _cosines, _sines;

    public DecoderNetwork(DecoderShape shape, double dropout)
    {
        (_shape, _dropout) = (shape, dropout);
        var (queries, keys) = (shape.Heads * shape.HeadSize, shape.KeyValueHeads * shape.HeadSize);

        // What is added to the residual stream begins smaller, the more layers add to it (GPT-2's rule).
        var (spread, residual) = (
            0.02 * Math.Sqrt(768.0 / shape.Width), 0.02 * Math.Sqrt(768.0 / shape.Width) / Math.Sqrt(2 * shape.Layers));
        _embedding = Matrix(shape.Vocabulary, shape.Width, spread);
        _finalNorm = Norm();
        _layers = [.. Enumerable.Range(0, shape.Layers).Select(_ => new Layer(
            Norm(), Matrix(queries + (2 * keys), shape.Width, spread), Matrix(shape.Width, queries, residual),
            Norm(), Matrix(2 * shape.Hidden, shape.Width, spread), Matrix(shape.Width, shape.Hidden, residual)))];
        using var scope = NewDisposeScope();
        var frequencies = pow(shape.RopeTheta, arange(0, shape.HeadSize, 2, ScalarType.Float64) * (-1.0 / shape.HeadSize));
        var angles = arange(shape.Context, ScalarType.Float64).unsqueeze(1) * frequencies;
        _cosines = angles.cos().to(ScalarType.Float32).unsqueeze(1).DetachFromDisposeScope();
        _sines = angles.sin().to(ScalarType.Float32).unsqueeze(1).DetachFromDisposeScope();

        Parameter Matrix(int outputs, int inputs, double deviation) => new(randn(outputs, inputs) * deviation);

        Parameter Norm() => new(ones(shape.Width));
    }

    /// <summary>In an order that is always the same: the matrices, then the norms.</summary>
    public IEnumerable<Parameter> Parameters => Matrices.Concat(Norms);

    public IEnumerable<Parameter> Matrices => _layers.SelectMany(layer => layer.Matrices).Prepend(_embedding);

    public IEnumerable<Parameter> Norms => _layers.SelectMany(layer => layer.Norms).Append(_finalNorm);

    /// <summary>The last layer's normed states [sequences * length, width] of tokens [sequences, length].</summary>
    public Tensor Forward(Tensor tokens)
    {
        var state = Drop(_embedding.index_select(0, tokens.reshape(-1)).view(tokens.shape[0], tokens.shape[1], _shape.Width));
        foreach (var layer in _layers)
        {
            state += Drop(Attend(layer, Normed(state, layer.AttentionNorm)));
            var gateAndUp = F.linear(Normed(state, layer.FeedForwardNorm), layer.GateAndUp).chunk(2, -1);
            state += Drop(F.linear(F.silu(gateAndUp[0]) * gateAndUp[1], layer.Down));
        }

        return Normed(state, _finalNorm).view(-1, _shape.Width);
    }

    /// <summary>Logits [rows, vocabulary] of states [rows, width].</summary>
    public Tensor Logits(Tensor states) => F.linear(states, _embedding);

    /// <summary>Replaces the weights.</summary>
    public void Import(DecoderWeights weights)
    {
        Set(_embedding, weights.Embedding);
        Set(_finalNorm, weights.FinalNorm);
        foreach (var (layer, values) in _layers.Zip(weights.Layers))
        {
            Set(layer.AttentionNorm, values.AttentionNorm);
            Set(layer.Projections, [.. values.Query, .. values.Key, .. values.Value]);
            Set(layer.Output, values.Output);
            Set(layer.FeedForwardNorm, values.FeedForwardNorm);
            Set(layer.GateAndUp, [.. values.Gate, .. values.Up]);
            Set(layer.Down, values.Down);
        }

        static void Set(Parameter parameter, float[] values)
        {
            using var noGradient = no_grad();
            using var given = tensor(values).view(parameter.shape);
            parameter.copy_(given);
        }
    }

    /// <summary>The weights, given values for <see cref="Parameters"/> in their order.</summary>
    public DecoderWeights Export(IEnumerable<Tensor> values)
    {
        var named = Parameters.Zip(values).ToDictionary(pair => pair.First, pair => pair.Second.data<float>().ToArray());
        var (queries, keys) = (_shape.Heads * _shape.HeadSize * _shape.Width, _shape.KeyValueHeads * _shape.HeadSize * _shape.Width);
        return new DecoderWeights
        {
            Embedding = named[_embedding],
            FinalNorm = named[_finalNorm],
            Layers = Array.ConvertAll(_layers, layer => new DecoderLayer
            {
                AttentionNorm = named[layer.AttentionNorm],
                Query = named[layer.Projections][..queries],
                Key = named[layer.Projections][queries..(queries + keys)],
                Value = named[layer.Projections][(queries + keys)..],
                Output = named[layer.Output],
                FeedForwardNorm = named[layer.FeedForwardNorm],
                Gate = named[layer.GateAndUp][..(_shape.Hidden * _shape.Width)],
                Up = named[layer.GateAndUp][(_shape.Hidden * _shape.Width)..],
                Down = named[layer.Down],
            }),
        };
    }

    public void Dispose()
    {
        foreach (var parameter in Parameters)
        {
            parameter.Dispose();
        }

        _cosines.Dispose();
        _sines.Dispose();
    }

    private Tensor Attend(Layer layer, Tensor normed)
    {
        var (sequences, length, turned) = (normed.shape[0], normed.shape[1], _shape.Heads + _shape.KeyValueHeads);
        var heads = F.linear(normed, layer.Projections).view(sequences, length, turned + _shape.KeyValueHeads, _shape.HeadSize);
        var halves = heads.narrow(2, 0, turned).chunk(2, -1);
        var (cosines, sines) = (_cosines.narrow(0, 0, length), _sines.narrow(0, 0, length));
        var queriesAndKeys = cat([(halves[0] * cosines) - (halves[1] * sines), (halves[1] * cosines) + (halves[0] * sines)], -1);
        var queries = queriesAndKeys.narrow(2, 0, _shape.Heads).transpose(1, 2);
        var found = F.scaled_dot_product_attention(
            queries, ForEachHead(queriesAndKeys.narrow(2, _shape.Heads, _shape.KeyValueHeads)),
            ForEachHead(heads.narrow(2, turned, _shape.KeyValueHeads)),
            is_casual: true);
        return F.linear(found.transpose(1, 2).reshape(sequences, length, _shape.Heads * _shape.HeadSize), layer.Output);

        Tensor ForEachHead(Tensor shared) => shared.repeat_interleave(_shape.Heads / _shape.KeyValueHeads, 2).transpose(1, 2);
    }

    private Tensor Normed(Tensor state, Parameter weight) =>
        state * rsqrt(state.square().mean([-1], keepdim: true) + _shape.NormEpsilon) * weight;

    private Tensor Drop(Tensor state) => F.dropout(state, _dropout, training: true);

    private sealed record Layer(
        Parameter AttentionNorm, Parameter Projections, Parameter Output, Parameter FeedForwardNorm, Parameter GateAndUp, Parameter Down)
    {
        public IEnumerable<Parameter> Matrices => [Projections, Output, GateAndUp, Down];

        public IEnumerable<Parameter> Norms => [AttentionNorm, FeedForwardNorm];
    }
}
