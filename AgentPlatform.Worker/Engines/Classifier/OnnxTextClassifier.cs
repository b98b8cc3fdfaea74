using System.Globalization;
using AgentPlatform.Worker.Engines.Analyze;
using AgentPlatform.Worker.Engines.Onnx;
using Microsoft.ML.OnnxRuntime;

namespace AgentPlatform.Worker.Engines.Classifier;

/// <summary>
/// A text classifier in ONNX Runtime, from a folder with <c>model.onnx</c> (input <c>ids</c>: int64 [batch, length], padded with 0;
/// output <c>logits</c>: float [batch, labels]) and <c>config.json</c> (<see cref="OnnxClassifierConfig"/>).
/// </summary>
/// <remarks>Safe for concurrent use; a text gets the same answer alone and in any batch.</remarks>
internal sealed class OnnxTextClassifier : IDisposable
{
    private const string InputName = "ids";
    private const string OutputName = "logits";

    /// <summary>
    /// What a model's metadata may hold, because a model that finds its
    /// rows by a hash does not fail on ids that it was not trained on.
    /// </summary>
    private const string BucketsKey = "buckets";

    private static readonly string[] _outputNames = [OutputName];

    private readonly InferenceSession _session;
    private readonly RunOptions _runOptions = new();
    private readonly TextFeatures _encoder;
    private readonly string[] _labels;
    private readonly float _temperature;

    private OnnxTextClassifier(InferenceSession session, OnnxClassifierConfig config)
    {
        _session = session;
        _encoder = new TextFeatures(config.Encoder);
        _labels = [.. config.Labels.Values];
        _temperature = config.Temperature;
    }

    /// <summary>The model's labels, by the index of its output.</summary>
    public IReadOnlyList<string> Labels => _labels;

    /// <summary>Loads the model of <paramref name="folder"/>.</summary>
    /// <param name="folder">The folder that holds <c>model.onnx</c> and <c>config.json</c>.</param>
    /// <param name="options">
    /// Where it is computed. Unless they say otherwise one thread computes a
    /// batch: a small model is fastest so, and several batches can run at a time.
    /// </param>
    /// <exception cref="InvalidDataException">
    /// A file is missing or wrong, or the two do not fit each other; the message names the file.
    /// </exception>
    public static OnnxTextClassifier Load(string folder, OnnxOptions? options = null)
    {
        if (!Directory.Exists(folder))
        {
            throw new InvalidDataException($"The model folder {folder} does not exist.");
        }

        var config = OnnxClassifierConfig.Read(Path.Combine(folder, "config.json"));
        var path = Path.Combine(folder, "model.onnx");
        var session = OnnxSession.Open(path, options ?? new OnnxOptions(), threads: 1);
        if (Mistake(session, config) is { } mistake)
        {
            session.Dispose();
            throw new InvalidDataException($"The model {path} does not fit: {mistake}");
        }

        var classifier = new OnnxTextClassifier(session, config);
        try
        {
            // A model that reads its embeddings by id has their number nowhere in its metadata, but reading beyond them fails.
            classifier.Run([[config.Encoder.Buckets - 1]]);
        }
        catch (OnnxRuntimeException exception)
        {
            classifier.Dispose();
            throw new InvalidDataException(
                $"The model {path} cannot take the ids that config.json beside it sets: {exception.Message}", exception);
        }

        return classifier;
    }

    /// <summary>
    /// The ids that a text is to the model. Every caller can do that for itself, so that a run has only the model to compute.
    /// </summary>
    public long[] Encode(string text) => _encoder.Encode(text);

    /// <summary>
    /// Classifies texts, given by what <see cref="Encode"/> makes of them, in one run of the model; the answers are in their order.
    /// </summary>
    public IReadOnlyList<Classification> Classify(IReadOnlyList<long[]> texts)
    {
        var rows = Probabilities(texts);
        var answers = new Classification[rows.Count];
        for (var row = 0; row < answers.Length; row++)
        {
            var best = Array.IndexOf(rows[row], rows[row].Max());
            answers[row] = new Classification(_labels[best], rows[row][best]);
        }

        return answers;
    }

    /// <summary>The probabilities of all <see cref="Labels"/> for each of <paramref name="texts"/>; each row adds up to 1.</summary>
    public IReadOnlyList<float[]> Probabilities(IReadOnlyList<long[]> texts)
    {
        if (texts.Count == 0)
        {
            return [];
        }

        var logits = Run(texts);
        return [.. texts.Select((_, row) => Softmax(logits.AsSpan(row * _labels.Length, _labels.Length)))];
    }

    /// <inheritdoc />
    public void Dispose()
    {
        _runOptions.Dispose();
        _session.Dispose();
    }

    private static string? Mistake(InferenceSession session, OnnxClassifierConfig config)
    {
        if (!session.InputMetadata.TryGetValue(InputName, out var input) || session.InputMetadata.Count != 1
            || input.ElementType != typeof(long) || input.Dimensions.Length != 2)
        {
            return $"it must have one input {InputName}, int64 [batch, length].";
        }

        if (!session.OutputMetadata.TryGetValue(OutputName, out var output) || output.ElementType != typeof(float)
            || output.Dimensions.Length != 2)
        {
            return $"it must have an output {OutputName}, float [batch, labels].";
        }

        if (output.Dimensions[1] != config.Labels.Count)
        {
            return $"it has {output.Dimensions[1]} outputs, and config.json beside it names {config.Labels.Count} labels.";
        }

        return session.ModelMetadata.CustomMetadataMap.TryGetValue(BucketsKey, out var buckets)
            && buckets != config.Encoder.Buckets.ToString(CultureInfo.InvariantCulture)
            ? $"it was trained for {buckets} buckets, and config.json beside it sets {config.Encoder.Buckets}." : null;
    }

    private float[] Run(IReadOnlyList<long[]> rows)
    {
        var length = rows.Max(row => row.Length);
        var ids = new long[rows.Count * length];
        for (var row = 0; row < rows.Count; row++)
        {
            rows[row].CopyTo(ids, row * length);
        }

        using var input = OrtValue.CreateTensorValueFromMemory(ids, [rows.Count, length]);
        using var outputs = _session.Run(_runOptions, [InputName], [input], _outputNames);
        return outputs[0].GetTensorDataAsSpan<float>().ToArray();
    }

    private float[] Softmax(ReadOnlySpan<float> logits)
    {
        var probabilities = new float[logits.Length];
        var (highest, sum) = (float.NegativeInfinity, 0f);
        foreach (var logit in logits)
        {
            highest = Math.Max(highest, logit);
        }

        for (var index = 0; index < probabilities.Length; index++)
        {
            probabilities[index] = MathF.Exp((logits[index] - highest) / _temperature);
            sum += probabilities[index];
        }

        for (var index = 0; index < probabilities.Length; index++)
        {
            probabilities[index] /= sum;
        }

        return probabilities;
    }
}
