namespace AgentPlatform.Training.Sentiment;

/// <summary>Figures over predictions.</summary>
internal static class Evaluation
{
    /// <summary>The mean over the labels that occur of each label's F1.</summary>
    public static double MacroF1(IReadOnlyList<(string Truth, string Said)> answers) => answers
        .Select(answer => answer.Truth).Distinct()
        .Average(label =>
        {
            double right = answers.Count(answer => answer.Truth == label && answer.Said == label);
            return 2 * right / (answers.Count(answer => answer.Truth == label) + answers.Count(answer => answer.Said == label));
        });

    /// <summary>
    /// Expected calibration error: how far confidence and accuracy are apart, over ten equally wide ranges of confidence, weighted by
    /// the answers in each (Guo et al., "On Calibration of Modern Neural Networks", 2017).
    /// </summary>
    public static double CalibrationError(IReadOnlyList<(bool IsRight, float Confidence)> answers) => answers
        .GroupBy(answer => Math.Min(9, (int)(answer.Confidence * 10)))
        .Sum(range =>
            Math.Abs(range.Average(answer => answer.Confidence) - range.Average(answer => answer.IsRight ? 1.0 : 0.0))
            * range.Count() / answers.Count);

    /// <summary>
    /// The temperature between 0.3 and 5 that makes the truth most likely,
    /// where it is the <c>labels[i]</c>-th of <c>probabilities[i]</c>.
    /// </summary>
    public static float FitTemperature(IReadOnlyList<float[]> probabilities, IReadOnlyList<int> labels) => Enumerable.Range(30, 471)
        .Select(step => step / 100f)
        .MinBy(temperature => Enumerable.Range(0, labels.Count).Sum(row =>
        {
            // Softmax at another temperature needs the logits only up to a constant, which logarithms of probabilities are.
            var scaled = Array.ConvertAll(probabilities[row], probability => Math.Log(Math.Max(1e-12, probability)) / temperature);
            return Math.Log(scaled.Sum(Math.Exp)) - scaled[labels[row]];
        }));
}
