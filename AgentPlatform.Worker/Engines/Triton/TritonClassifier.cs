using System.Runtime.CompilerServices;
using System.Text.Json;
using AgentPlatform.Inference;
using AgentPlatform.Inference.Batching;
using AgentPlatform.Worker.Engines.Analyze;
using AgentPlatform.Worker.Engines.Preparation;

namespace AgentPlatform.Worker.Engines.Triton;

/// <summary>
/// Classifies texts by a model that takes them as BYTES and gives a score
/// for each label. Texts go in batches, as large as the model allows.
/// </summary>
internal sealed class TritonClassifier : IInference, IAsyncDisposable
{
    // Sums of float32 that a server rounds to a few digits.
    private const float Tolerance = 0.01f;

    private readonly TritonServer _server;
    private readonly TritonOptions _options;
    private readonly PreparationPool _preparation;
    private readonly TimeProvider _time;
    private readonly TritonTensor _input;
    private readonly TritonTensor _output;
    private readonly MicroBatcher<string, Outcome> _batcher;

    /// <exception cref="EngineLoadException">The model does not classify texts into these labels.</exception>
    public TritonClassifier(
        TritonServer server, TritonModel model, TritonOptions options, BatchingOptions batching, PreparationPool preparation,
        TimeProvider time, BatchingMetrics metrics)
    {
        (_server, _options, _preparation, _time) = (server, options, preparation, time);
        _input = model.TextInput(options.Input);
        _output = model.Output(options.Output, "FP32", "FP64");
        if (_input.Shape.Skip(_input.IsBatched ? 1 : 0).Any(static dimension => dimension > 1))
        {
            throw new EngineLoadException(
                $"The model's input {_input} takes several texts at once, so the texts of different requests cannot be told apart.");
        }

        if (_output.Shape is [.., > 0] && _output.Shape[^1] != options.Labels.Count)
        {
            throw new EngineLoadException(
                $"Triton:Labels has {options.Labels.Count} labels, but the model's output {_output} has {_output.Shape[^1]} scores.");
        }

        if (model.IsDecoupled)
        {
            throw new EngineLoadException("Triton:Labels is set, but the model is decoupled: it streams answers and does not classify.");
        }

        var most = !_input.IsBatched ? 1 : model.MaxBatchSize > 0 ? model.MaxBatchSize : int.MaxValue;
        var limits = new BatchingOptions { MaxBatchSize = Math.Min(batching.MaxBatchSize, most), MaxDelay = batching.MaxDelay };
        _batcher = new(ComputeAsync, limits, time, metrics);
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<ReplyPart> RunAsync(
        InferenceRequest request, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var text = await _preparation.RunAsync(request.Body.Length, _ => AnalyzeJson.ReadText(request.Body), cancellationToken);
        var outcome = await _batcher.RunAsync(text, request.TimeLimit, cancellationToken);
        yield return outcome.Error is { } error ? throw new InferenceException(error) : AnalyzeJson.Write(outcome.Classification);
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _batcher.DisposeAsync();

    private async ValueTask<IReadOnlyList<Outcome>> ComputeAsync(IReadOnlyList<string> texts, CancellationToken cancellationToken)
    {
        try
        {
            return await InferAsync(texts, cancellationToken);
        }
        catch (InferenceException e) when (e.Error.Kind == ErrorKind.InvalidRequest && texts.Count > 1)
        {
            // One of them does not please the model; the others are not to fail with it.
            var outcomes = new List<Outcome>(texts.Count);
            foreach (var text in texts)
            {
                outcomes.Add(await AloneAsync(text, cancellationToken));
            }

            return outcomes;
        }
    }

    private async ValueTask<Outcome> AloneAsync(string text, CancellationToken cancellationToken)
    {
        try
        {
            return (await InferAsync([text], cancellationToken))[0];
        }
        catch (InferenceException e)
        {
            return new Outcome(default, e.Error);
        }
    }

    private async ValueTask<IReadOnlyList<Outcome>> InferAsync(IReadOnlyList<string> texts, CancellationToken cancellationToken)
    {
        long[] shape = [.. _input.Shape.Select((dimension, index) => index == 0 && _input.IsBatched ? texts.Count : Math.Abs(dimension))];
        void WriteTexts(Utf8JsonWriter json)
        {
            foreach (var text in texts)
            {
                json.WriteStringValue(text);
            }
        }

        var body = InferRequest.Write(_output, (_input, shape, WriteTexts));

        // The callers' own deadlines end their waiting; this one ends the call,
        // so that a server that hangs does not keep those who come later.
        using var limit = new CancellationTokenSource(_options.BatchTimeout, _time);
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        List<float> scores;
        try
        {
            var answer = await _server.PostAsync("infer", body, ended.Token);
            scores = await InferResponse.ReadAsync(answer, _output, static value => value.GetSingle(), ended.Token);
        }
        catch (OperationCanceledException e) when (limit.IsCancellationRequested)
        {
            throw new InferenceException(
                InferenceError.Unavailable("The model's server does not answer in time.", retryAfterSeconds: 2), e);
        }

        var labels = _options.Labels.Count;
        return scores.Count == texts.Count * labels
            ? [.. Enumerable.Range(0, texts.Count).Select(row => new Outcome(Judge(scores.Slice(row * labels, labels))))]
            : throw new InferenceException(
                InferenceError.EngineFailed($"The model's server sent {scores.Count} scores for {texts.Count} texts and {labels} labels."));
    }

    private Classification Judge(List<float> scores)
    {
        var best = scores.IndexOf(scores.Max());
        if (_options.Scores == TritonScores.Logits)
        {
            return new Classification(_options.Labels[best], 1 / scores.Sum(score => MathF.Exp(score - scores[best])));
        }

        return scores.All(static score => score is >= 0 and <= 1 + Tolerance) && MathF.Abs(scores.Sum() - 1) <= Tolerance
            ? new Classification(_options.Labels[best], Math.Min(scores[best], 1))
            : throw new InferenceException(InferenceError.EngineFailed(
                "The model's scores are not probabilities; if they are logits, the operator must set Triton:Scores to Logits."));
    }

    /// <summary>What became of one text of a batch.</summary>
    private readonly record struct Outcome(Classification Classification, InferenceError? Error = null);
}
