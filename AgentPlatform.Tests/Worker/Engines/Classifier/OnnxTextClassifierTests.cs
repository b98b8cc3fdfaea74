using AgentPlatform.Worker.Engines.Classifier;

namespace AgentPlatform.Tests.Worker.Engines.Classifier;

public class OnnxTextClassifierTests
{
    private static readonly string[] _texts =
        [
            "I love this, thank you so much!", "Terrible service, never again.", "The shop opens at nine.", "", "😍", "\ud83d",
            new string('x', 100_000), string.Join(' ', Enumerable.Repeat("not bad", 10_000)),
        ];

    [Fact]
    public void Classify_ClearComments_SaysWhatTheyAre()
    {
        using var classifier = OnnxTextClassifier.Load(ModelFolder.Shipped);

        Assert.Equal(
            ["Positive", "Negative", "Neutral"],
            classifier.Classify([.. _texts[..3].Select(classifier.Encode)]).Select(answer => answer.Label));
    }

    [Fact]
    public void Classify_Batch_AnswersAsForEachTextAlone()
    {
        using var classifier = OnnxTextClassifier.Load(ModelFolder.Shipped);
        var together = classifier.Classify([.. _texts.Select(classifier.Encode)]);

        Assert.Equal(_texts.Length, together.Count);
        for (var index = 0; index < _texts.Length; index++)
        {
            var alone = Assert.Single(classifier.Classify([classifier.Encode(_texts[index])]));
            Assert.Equal(alone.Label, together[index].Label);
            Assert.Equal(alone.Confidence, together[index].Confidence, tolerance: 1e-4f);
        }
    }

    [Fact]
    public void Classify_AnyText_GivesTheProbabilityOfTheLabel()
    {
        using var classifier = OnnxTextClassifier.Load(ModelFolder.Shipped);

        foreach (var (answer, row) in classifier.Classify([.. _texts.Select(classifier.Encode)])
            .Zip(classifier.Probabilities([.. _texts.Select(classifier.Encode)])))
        {
            Assert.Equal(1, row.Sum(), tolerance: 1e-4f);
            Assert.Equal(row.Max(), answer.Confidence, tolerance: 1e-6f);
            Assert.Equal(row.Max(), row[classifier.Labels.ToList().IndexOf(answer.Label)]);
        }
    }

    [Fact]
    public void Classify_NoTexts_GivesNoAnswers()
    {
        using var classifier = OnnxTextClassifier.Load(ModelFolder.Shipped);

        Assert.Empty(classifier.Classify([]));
    }

    [Fact]
    public void Classify_ByManyThreads_AnswersAlike()
    {
        using var classifier = OnnxTextClassifier.Load(ModelFolder.Shipped);
        var expected = classifier.Classify([.. _texts.Select(classifier.Encode)]);

        Parallel.For(0, 16, _ => Assert.Equal(expected, classifier.Classify([.. _texts.Select(classifier.Encode)])));
    }

    [Fact]
    public void Load_FolderIsNotThere_NamesIt() =>
        Assert.Contains("/nowhere/at-all", Assert.Throws<InvalidDataException>(() => OnnxTextClassifier.Load("/nowhere/at-all")).Message);

    [Fact]
    public void Load_WithoutModel_NamesTheFile()
    {
        using var folder = ModelFolder.Copy();
        File.Delete(folder.Model);

        Assert.Contains(folder.Model, LoadingFails(folder));
    }

    [Fact]
    public void Load_ModelIsNoOnnx_NamesTheFile()
    {
        using var folder = ModelFolder.Copy();
        File.WriteAllText(folder.Model, "not a model");

        Assert.Contains(folder.Model, LoadingFails(folder));
    }

    [Fact]
    public void Load_WithoutSettings_NamesTheFile()
    {
        using var folder = ModelFolder.Copy();
        File.Delete(folder.Config);

        Assert.Contains(folder.Config, LoadingFails(folder));
    }

    [Theory]
    [InlineData("""{"id2label":{"0":"A","1":"B"}}""", "3 outputs")]
    [InlineData("""{"id2label":{"0":"A","2":"B","3":"C"}}""", "without a gap")]
    [InlineData("""{"id2label":{"0":"A","1":"B","2":"B"}}""", "different")]
    [InlineData("""{"id2label":{"0":"A","1":"B","2":" "}}""", "not empty")]
    [InlineData("""{"id2label":null}""", "id2label")]
    [InlineData("""{}""", "id2label")]
    [InlineData("""{"id2label":{"0":"A","1":"B","2":"C"},"temperature":0}""", "temperature")]
    [InlineData("""{"id2label":{"0":"A","1":"B","2":"C"},"encoder":{"buckets":1}}""", "encoder")]
    [InlineData("""{"id2label":{"0":"A","1":"B","2":"C"},"temprature":2}""", "temprature")]
    [InlineData("""not json""", "config.json")]
    public void Load_WrongSettings_SaysWhatIsWrong(string config, string mistake)
    {
        using var folder = ModelFolder.Copy();
        File.WriteAllText(folder.Config, config);

        Assert.Contains(mistake, LoadingFails(folder));
    }

    [Fact]
    public void Load_OtherBucketsThanTheModelWasTrainedFor_Refuses()
    {
        using var folder = ModelFolder.Copy();
        File.WriteAllText(folder.Config, """{"id2label":{"0":"A","1":"B","2":"C"},"encoder":{"buckets":16000000}}""");

        Assert.Contains(folder.Model, LoadingFails(folder));
    }

    private static string LoadingFails(ModelFolder folder) =>
        Assert.Throws<InvalidDataException>(() => OnnxTextClassifier.Load(folder.Path)).Message;
}
