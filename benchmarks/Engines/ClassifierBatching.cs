using System.Runtime.CompilerServices;
using AgentPlatform.Inference.Batching;
using AgentPlatform.Worker.Engines.Analyze;
using AgentPlatform.Worker.Engines.Classifier;
using BenchmarkDotNet.Attributes;

namespace AgentPlatform.Benchmarks.Engines;

/// <summary>The embedded classifier with 16 callers, one by one and in batches. The time is that of one text.</summary>
/// <remarks>Public and not sealed, since BenchmarkDotNet derives from it.</remarks>
public class ClassifierBatching
{
    private const int Callers = 16;
    private const int TextsPerCaller = 256;

    private static readonly string[] _texts =
    [
        "I love how quickly they answered, best service in years!", "not bad at all, but the battery could last longer", "Meh.",
        "yeah, great, it broke after one day. thanks for nothing", "Does anybody know when the shop opens on Sundays?",
    ];

    private OnnxTextClassifier _classifier = null!;
    private MicroBatcher<long[], Classification> _oneByOne = null!;
    private MicroBatcher<long[], Classification> _inBatches = null!;

    [GlobalSetup]
    public void Load()
    {
        _classifier = OnnxTextClassifier.Load(Path.Combine(Root(), "models", "sentiment"));
        _oneByOne = Batcher(new BatchingOptions { MaxBatchSize = 1 });
        _inBatches = Batcher(new BatchingOptions());
    }

    [GlobalCleanup]
    public async Task UnloadAsync()
    {
        await _oneByOne.DisposeAsync();
        await _inBatches.DisposeAsync();
        _classifier.Dispose();
    }

    [Benchmark(Baseline = true, Description = "unbatched (Batching:MaxBatchSize 1)", OperationsPerInvoke = Callers * TextsPerCaller)]
    public Task UnbatchedAsync() => ClassifyAsync(_oneByOne);

    [Benchmark(Description = "in batches of up to 32", OperationsPerInvoke = Callers * TextsPerCaller)]
    public Task BatchedAsync() => ClassifyAsync(_inBatches);

    private Task ClassifyAsync(MicroBatcher<long[], Classification> batcher) =>
        Task.WhenAll(Enumerable.Range(0, Callers).Select(async caller =>
    {
        await Task.Yield();
        for (var i = 0; i < TextsPerCaller; i++)
        {
            await batcher.RunAsync(_classifier.Encode(_texts[caller % _texts.Length]), default, CancellationToken.None);
        }
    }));

    private MicroBatcher<long[], Classification> Batcher(BatchingOptions options) =>
        new((texts, _) => ValueTask.FromResult(_classifier.Classify(texts)), options, TimeProvider.System);

    private static string Root([CallerFilePath] string file = "") =>
        Path.GetFullPath(Path.Combine(Path.GetDirectoryName(file)!, "..", ".."));
}
