using System.Diagnostics.Metrics;
using AgentPlatform.Benchmarks.Load;
using AgentPlatform.Inference.Batching;
using AgentPlatform.Worker.Engines.Analyze;
using AgentPlatform.Worker.Engines.Classifier;
using Microsoft.Extensions.DependencyInjection;

namespace AgentPlatform.Benchmarks.Engines;

/// <summary>The embedded classifier with 16 callers, in batches and one by one.</summary>
internal static class ClassifierBatching
{
    private const int Callers = 16;

    private static readonly string[] _texts =
    [
        "I love how quickly they answered, best service in years!", "not bad at all, but the battery could last longer", "Meh.",
        "yeah, great, it broke after one day. thanks for nothing", "Does anybody know when the shop opens on Sundays?",
    ];

    public static async Task RunAsync(TimeSpan measure, CancellationToken cancellationToken)
    {
        Report.Heading($"onnx-classifier: models/sentiment, {Callers} callers in one process", "unbatched");
        using var classifier = OnnxTextClassifier.Load(Path.Combine(Root(), "models", "sentiment"));
        var unbatched = await MeasureAsync(classifier, 1, measure, cancellationToken);
        Report.Load("unbatched (Batching:MaxBatchSize 1)", unbatched, unbatched);
        Report.Load("in batches of up to 32", await MeasureAsync(classifier, new BatchingOptions().MaxBatchSize, measure, cancellationToken), unbatched);
    }

    private static async Task<LoadResult> MeasureAsync(OnnxTextClassifier classifier, int mostAtOnce, TimeSpan measure, CancellationToken cancellationToken)
    {
        using var services = new ServiceCollection().AddMetrics().BuildServiceProvider();
        await using var batcher = new MicroBatcher<long[], Classification>(
            (texts, _) => ValueTask.FromResult(classifier.Classify(texts)), new BatchingOptions { MaxBatchSize = mostAtOnce }, TimeProvider.System,
            new BatchingMetrics(services.GetRequiredService<IMeterFactory>().Create("batching")));
        return await LoadResult.MeasureAsync(
            Callers, measure, (caller, token) => batcher.RunAsync(classifier.Encode(_texts[caller % _texts.Length]), default, token), cancellationToken);
    }

    private static string Root([System.Runtime.CompilerServices.CallerFilePath] string file = "") =>
        Path.GetFullPath(Path.Combine(Path.GetDirectoryName(file)!, "..", ".."));
}
