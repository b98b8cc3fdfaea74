using System.Runtime.CompilerServices;
using AgentPlatform.Inference;
using AgentPlatform.Inference.Batching;
using AgentPlatform.Worker.Configuration;
using AgentPlatform.Worker.Engines.Analyze;
using AgentPlatform.Worker.Engines.Onnx;
using AgentPlatform.Worker.Engines.Preparation;
using AgentPlatform.Worker.Telemetry;
using AgentPlatform.Worker.Weights;
using Microsoft.Extensions.Options;

namespace AgentPlatform.Worker.Engines.Classifier;

/// <summary>
/// A text classifier on ONNX Runtime. Requests are computed in batches; each is answered with
/// <c>{"sentiment":"Positive","confidence":0.93}</c>.
/// </summary>
internal sealed class ClassifierEngine : IEngine, IAsyncDisposable
{
    private readonly ModelFolder _folder;
    private readonly OnnxOptions _onnx;
    private readonly PreparationPool _preparation;
    private readonly MicroBatcher<long[], Classification> _batcher;
    private OnnxTextClassifier? _classifier;

    public ClassifierEngine(
        ModelFolder folder, IOptions<OnnxOptions> onnx, IOptions<BatchingOptions> batching, PreparationPool preparation, TimeProvider time,
        BatchingMetrics metrics)
    {
        (_folder, _onnx, _preparation) = (folder, onnx.Value, preparation);
        _batcher = new((texts, _) => ValueTask.FromResult(Classifier.Classify(texts)), batching.Value, time, metrics);

        // One batch in the making and one that gathers.
        Traits = new EngineTraits([Operation.Analyze], Slots: 2 * batching.Value.MaxBatchSize) { Replayable = true };
    }

    /// <inheritdoc/>
    public EngineTraits Traits { get; }

    private OnnxTextClassifier Classifier => _classifier ?? throw new InvalidOperationException("The classifier is not loaded.");

    /// <summary>Registers the engine and its options.</summary>
    public static void AddTo(IHostApplicationBuilder builder)
    {
        var services = builder.Services;
        services.AddValidated<BatchingOptions, BatchingOptionsValidator>(BatchingOptions.Section);
        services.AddValidated<OnnxOptions, OnnxOptionsValidator>(OnnxOptions.Section);
        services.AddSingleton(WorkerTelemetry.CreateBatchingMetrics);
        services.AddSingleton<IEngine, ClassifierEngine>();
    }

    /// <inheritdoc/>
    public async Task LoadAsync(CancellationToken cancellationToken)
    {
        var folder = await _folder.GetAsync(cancellationToken);
        try
        {
            _classifier = OnnxTextClassifier.Load(folder, _onnx);
        }
        catch (Exception e) when (e is InvalidDataException or IOException or UnauthorizedAccessException)
        {
            throw new EngineLoadException(e.Message, e);
        }
    }

    /// <inheritdoc/>
    public async Task WarmUpAsync(CancellationToken cancellationToken) =>
        await _batcher.RunAsync(Classifier.Encode("A text to warm up with."), default, cancellationToken);

    /// <inheritdoc/>
    public async IAsyncEnumerable<ReplyPart> RunAsync(
        InferenceRequest request, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var ids = await _preparation.RunAsync(
            request.Body.Length, _ => Classifier.Encode(AnalyzeJson.ReadText(request.Body)), cancellationToken);
        var classification = await _batcher.RunAsync(ids, request.TimeLimit, cancellationToken);
        yield return AnalyzeJson.Write(classification);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _batcher.DisposeAsync();
        _classifier?.Dispose();
    }
}
