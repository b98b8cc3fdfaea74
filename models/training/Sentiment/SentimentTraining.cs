using System.Text.Json;
using AgentPlatform.Training.Data;
using AgentPlatform.Training.Networks;
using AgentPlatform.Worker.Engines.Classifier;

namespace AgentPlatform.Training.Sentiment;

/// <summary>
/// Trains the <c>sentiment</c> model, writes its folder, and measures
/// it as the worker will run it: from the files, in ONNX Runtime.
/// </summary>
internal sealed class SentimentTraining
{
    private const int Members = 3;
    private const int Folds = 5;

    private static readonly string[] Labels = ["Negative", "Neutral", "Positive"];

    private readonly NetworkOptions _network = new();
    private readonly TextFeatureOptions _encoding;
    private readonly TextFeatures _encoder;
    private readonly Dictionary<string, int> _lexicon;

    private SentimentTraining(Dictionary<string, int> lexicon)
    {
        _encoding = new TextFeatureOptions { Buckets = _network.Buckets, CharacterGram = 0 };
        _encoder = new TextFeatures(_encoding);
        _lexicon = lexicon;
    }

    /// <summary>
    /// Trains on <c>folder/data</c>, measures on <c>folder/heldout.tsv</c> and writes into <paramref name="folder"/>; or only
    /// cross-validates, which reads the held-out comments to see that they are apart and no further. Returns the exit code.
    /// </summary>
    public static int Run(string folder, bool foldsOnly)
    {
        var (data, heldOutFile) = (Path.Combine(folder, "data"), Path.Combine(folder, "heldout.tsv"));
        if (!Directory.Exists(data) || !File.Exists(heldOutFile))
        {
            Console.Error.WriteLine(
                $"There is no folder {data} or no file {heldOutFile}; run from the root of the repository, or name the model's folder "
                + "with --folder.");
            return 1;
        }

        try
        {
            var (training, heldOut) = Comment.Read(data, heldOutFile);
            var sentiment = new SentimentTraining(Lexicon.Read(Path.Combine(data, "lexicon.txt")));
            if (foldsOnly)
            {
                sentiment.CrossValidate(training);
            }
            else
            {
                sentiment.Run(folder, training, heldOut);
            }

            return 0;
        }
        catch (InvalidDataException exception)
        {
            Console.Error.WriteLine(exception.Message);
            return 1;
        }
    }

    private void Run(string folder, List<Comment> training, List<Comment> heldOut)
    {
        var temperature = CrossValidate(training);
        Write(folder, training, temperature);
        using var classifier = OnnxTextClassifier.Load(folder);
        var metrics = Measure(classifier, heldOut, training.Count);
        File.WriteAllText(
            Path.Combine(folder, "metrics.json"), JsonSerializer.Serialize(metrics, SentimentJson.Default.SentimentMetrics) + "\n");
        Print(metrics, temperature);
    }

    /// <summary>Each group of the training split is judged by a model that did not see it; what they say gives the temperature.</summary>
    private float CrossValidate(List<Comment> training)
    {
        var groups = training.Select(comment => comment.Group).Distinct().ToList();
        var folder = Directory.CreateTempSubdirectory("sentiment-folds-").FullName;
        var (judged, probabilities) = (new List<Comment>(), new List<float[]>());
        try
        {
            for (var fold = 0; fold < Folds; fold++)
            {
                var left = training.FindAll(comment => groups.IndexOf(comment.Group) % Folds == fold);
                Write(folder, [.. training.Except(left)], temperature: 1);
                using var classifier = OnnxTextClassifier.Load(folder);
                judged.AddRange(left);
                probabilities.AddRange(classifier.Probabilities([.. left.Select(comment => classifier.Encode(comment.Text))]));
            }
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }

        var answers = judged.Zip(probabilities, (comment, row) =>
            (comment.Phenomenon, Truth: comment.Label, Said: Labels[Array.IndexOf(row, row.Max())])).ToList();
        var parts = answers.GroupBy(answer => answer.Phenomenon).OrderBy(part => part.Key, StringComparer.Ordinal)
            .Select(part => $"{part.Key} {Evaluation.MacroF1([.. part.Select(answer => (answer.Truth, answer.Said))]):F3}");
        Console.WriteLine(
            "Cross-validation over the training groups: macro-F1 "
            + $"{Evaluation.MacroF1(answers.ConvertAll(answer => (answer.Truth, answer.Said))):F3} ({string.Join(", ", parts)})");
        return Evaluation.FitTemperature(probabilities, [.. judged.Select(comment => Array.IndexOf(Labels, comment.Label))]);
    }

    private void Write(string folder, List<Comment> training, float temperature)
    {
        var examples = training.ConvertAll(comment => (Ids: _encoder.Encode(comment.Text), Label: Array.IndexOf(Labels, comment.Label)));
        if (examples.FindIndex(example => example.Label < 0) is >= 0 and var wrong)
        {
            throw new InvalidDataException($"The label {training[wrong].Label} is none of {string.Join(", ", Labels)}.");
        }

        var known = Known().ToList();
        var table = new IdTable([.. examples.SelectMany(example => example.Ids).Union(known.Select(word => word.Id)).Order()]);
        var rows = examples.ConvertAll(example => (Array.ConvertAll(example.Ids, id => table[id]), example.Label));
        var knownRows = known.ConvertAll(word => (table[word.Id], word.Positive, word.Negative));
        var members = new BagNetwork[Members];
        Parallel.For(0, Members, member =>
        {
            members[member] = new BagNetwork(_network, table.Ids.Length, seed: 20261124 + member, knownRows);
            members[member].Train(rows);
        });

        File.WriteAllBytes(Path.Combine(folder, "model.onnx"), new BagEnsemble(members, _network).ToOnnx(table));
        var config = new OnnxClassifierConfig
        {
            Labels = new(Labels.Index().ToDictionary(label => label.Index, label => label.Item)),
            Temperature = temperature,
            Encoder = _encoding,
        };
        File.WriteAllText(
            Path.Combine(folder, "config.json"), JsonSerializer.Serialize(config, OnnxClassifierJson.Default.OnnxClassifierConfig) + "\n");
    }

    /// <summary>Where the lexicon's words begin: a negated one means the opposite, though less of it.</summary>
    private IEnumerable<(long Id, float Positive, float Negative)> Known()
    {
        foreach (var (word, strength) in _lexicon)
        {
            var (positive, negative) = (Math.Max(0f, strength), Math.Max(0f, -strength));
            if (word.Split('_') is [var first, var second])
            {
                yield return (_encoder.PairId(first, second), positive, negative);
                continue;
            }

            foreach (var id in _encoder.WordIds(word, negated: false).Append(_encoder.TurnedId(word, negated: false)))
            {
                yield return (id, positive, negative);
            }

            foreach (var id in _encoder.WordIds(word, negated: true).Append(_encoder.TurnedId(word, negated: true)))
            {
                yield return (id, negative * 0.5f, positive * 0.8f);
            }
        }
    }

    private static SentimentMetrics Measure(OnnxTextClassifier classifier, List<Comment> heldOut, int trainingCount)
    {
        var said = classifier.Classify([.. heldOut.Select(comment => classifier.Encode(comment.Text))]);
        var answers = heldOut.Zip(said, (comment, answer) =>
            (comment.Phenomenon, Truth: comment.Label, Said: answer.Label, answer.Confidence)).ToList();
        var phenomena = answers.GroupBy(answer => answer.Phenomenon).ToDictionary(
            group => group.Key, group =>
                new PhenomenonMetrics(group.Count(), Round(Evaluation.MacroF1([.. group.Select(answer => (answer.Truth, answer.Said))]))));
        return new SentimentMetrics(
            trainingCount,
            heldOut.Count,
            Round(Evaluation.MacroF1(answers.ConvertAll(answer => (answer.Truth, answer.Said)))),
            Round(answers.Average(answer => answer.Truth == answer.Said ? 1.0 : 0.0)),
            Round(Evaluation.CalibrationError(answers.ConvertAll(answer => (answer.Truth == answer.Said, answer.Confidence)))),
            new(phenomena));
    }

    private static double Round(double figure) => Math.Round(figure, 4);

    private static void Print(SentimentMetrics metrics, float temperature)
    {
        Console.WriteLine(
            $"{metrics.TrainingComments} comments for training, {metrics.HeldOutComments} held out; temperature {temperature:F2}");
        Console.WriteLine(
            $"Held out: macro-F1 {metrics.MacroF1:F3}, accuracy {metrics.Accuracy:F3}, "
            + $"expected calibration error {metrics.CalibrationError:F3}");
        Console.WriteLine("| Phenomenon | Comments | Macro-F1 |\n|---|---|---|");
        foreach (var (phenomenon, figures) in metrics.Phenomena)
        {
            Console.WriteLine($"| {phenomenon} | {figures.Comments} | {figures.MacroF1:F3} |");
        }
    }
}
