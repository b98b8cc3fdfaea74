using System.Text.Json;
using AgentPlatform.Worker.Engines.Classifier;

namespace AgentPlatform.Tests.Worker.Engines.Classifier;

public class SentimentModelTests
{
    [Fact]
    public void ShippedModel_OnTheHeldOutComments_ReachesTheReportedMacroF1()
    {
        var heldOut = File.ReadLines(Path.Combine(ModelFolder.Shipped, "heldout.tsv")).Skip(1).Select(line => line.Split('\t')).ToList();
        using var metrics = JsonDocument.Parse(File.ReadAllText(Path.Combine(ModelFolder.Shipped, "metrics.json")));
        using var classifier = OnnxTextClassifier.Load(ModelFolder.Shipped);

        var said = classifier.Classify([.. heldOut.Select(columns => classifier.Encode(columns[3]))]);
        var answers = heldOut.Zip(said, (columns, answer) => (Truth: columns[0], Said: answer.Label)).ToList();
        var macroF1 = classifier.Labels.Average(label => F1(answers, label));

        Assert.Equal(metrics.RootElement.GetProperty("heldOutComments").GetInt32(), heldOut.Count);
        Assert.Equal(metrics.RootElement.GetProperty("macroF1").GetDouble(), macroF1, tolerance: 0.005);
        Assert.InRange(macroF1, 0.85, 1);
    }

    private static double F1(List<(string Truth, string Said)> answers, string label) =>
        2.0 * answers.Count(answer => answer.Truth == label && answer.Said == label)
        / (answers.Count(answer => answer.Truth == label) + answers.Count(answer => answer.Said == label));
}
