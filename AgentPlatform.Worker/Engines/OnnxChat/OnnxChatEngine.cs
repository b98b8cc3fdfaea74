using System.Runtime.CompilerServices;
using AgentPlatform.Inference;
using AgentPlatform.Inference.Batching;
using AgentPlatform.OnnxChat;
using AgentPlatform.Worker.Configuration;
using AgentPlatform.Worker.Engines.Onnx;
using AgentPlatform.Worker.Engines.Preparation;
using AgentPlatform.Worker.Telemetry;
using AgentPlatform.Worker.Weights;
using Microsoft.Extensions.Options;
using Microsoft.ML.OnnxRuntime;

namespace AgentPlatform.Worker.Engines.OnnxChat;

/// <summary>A language model in this process: <see cref="OnnxChatRuntime"/> with the worker's weights, slots and metrics.</summary>
internal sealed class OnnxChatEngine(
    ModelFolder folder, IOptions<OnnxOptions> onnx, IOptions<EngineOptions> engine, PreparationPool preparation, BatchingMetrics metrics,
    ILogger<OnnxChatEngine> logger)
    : IEngine, IDisposable
{
    private const int DefaultSlots = 16;

    private OnnxChatRuntime? _runtime;

    /// <inheritdoc/>
    public EngineTraits Traits { get; private set; } = new([Operation.Chat], DefaultSlots) { Replayable = true, Continues = true };

    private OnnxChatRuntime Runtime => _runtime ?? throw new InvalidOperationException("The model is not loaded.");

    /// <summary>Registers the engine and its options.</summary>
    public static void AddTo(IHostApplicationBuilder builder)
    {
        var services = builder.Services;
        services.AddValidated<OnnxOptions, OnnxOptionsValidator>(OnnxOptions.Section);
        services.AddSingleton(WorkerTelemetry.CreateBatchingMetrics);
        services.AddSingleton<IEngine, OnnxChatEngine>();
    }

    /// <inheritdoc/>
    public async Task LoadAsync(CancellationToken cancellationToken)
    {
        var path = await folder.GetAsync(cancellationToken);
        try
        {
            var rows = engine.Value.Slots ?? DefaultSlots;
            _runtime = await Task.Run(() => OnnxChatRuntime.Load(path, Open, rows, metrics.Began, logger), cancellationToken);
        }
        catch (InvalidDataException e)
        {
            throw new EngineLoadException(e.Message, e);
        }

        Traits = Traits with { Caveat = _runtime.Caveat };
    }

    /// <inheritdoc/>
    public async Task WarmUpAsync(CancellationToken cancellationToken)
    {
        try
        {
            await Runtime.WarmUpAsync(cancellationToken);
        }
        catch (InvalidDataException e)
        {
            throw new EngineLoadException(e.Message, e);
        }
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<ReplyPart> RunAsync(
        InferenceRequest request, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var call = await preparation.RunAsync(request.Body.Length, token => Runtime.Read(request, token), cancellationToken);
        await foreach (var part in Runtime.RunAsync(call, cancellationToken))
        {
            yield return part;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _runtime?.Dispose();

    private InferenceSession Open(string graph) => OnnxSession.Open(graph, onnx.Value, threads: Environment.ProcessorCount);
}
