using AgentPlatform.Inference;
using AgentPlatform.Inference.Batching;
using AgentPlatform.Worker.Configuration;
using AgentPlatform.Worker.Engines.Preparation;
using AgentPlatform.Worker.Engines.Servers;
using AgentPlatform.Worker.Telemetry;
using Microsoft.Extensions.Options;

namespace AgentPlatform.Worker.Engines.Triton;

/// <summary>
/// A model on a server of the Open Inference Protocol, such as Triton. With <c>Triton:Labels</c> it classifies
/// texts, without them it chats; its metadata says by which tensors, and whether that is so at all.
/// </summary>
internal sealed class TritonEngine : IEngine, IAsyncDisposable
{
    private readonly TritonServer _server;
    private readonly TritonOptions _options;
    private readonly BatchingOptions _batching;
    private readonly PreparationPool _preparation;
    private readonly BatchingMetrics _metrics;
    private readonly TimeProvider _time;
    private readonly ILogger<TritonEngine> _logger;
    private IInference? _model;

    public TritonEngine(
        HttpClient http, IOptions<TritonOptions> options, IOptions<ModelOptions> model, IOptions<BatchingOptions> batching,
        PreparationPool preparation, BatchingMetrics metrics, TimeProvider time, ILogger<TritonEngine> logger)
    {
        (_options, _batching, _preparation, _metrics, _time, _logger) = (options.Value, batching.Value, preparation, metrics, time, logger);
        _server = new TritonServer(
            http, new Uri(_options.Endpoint), _options.ModelName ?? model.Value.Name, _options.ModelVersion, _options.ApiKey, logger);

        // One batch in the making and one that gathers.
        Traits = Classifies
            ? new EngineTraits([Operation.Analyze], Slots: 2 * _batching.MaxBatchSize) { Replayable = true }
            : new EngineTraits([Operation.Chat], Slots: 32);
    }

    /// <inheritdoc/>
    public EngineTraits Traits { get; }

    private bool Classifies => _options.Labels.Count > 0;

    /// <summary>Registers the engine and its options.</summary>
    public static void AddTo(IHostApplicationBuilder builder)
    {
        var services = builder.Services;
        services.AddValidated<TritonOptions, TritonOptionsValidator>(TritonOptions.Section);
        services.AddValidated<BatchingOptions, BatchingOptionsValidator>(BatchingOptions.Section);
        services.AddSingleton(WorkerTelemetry.CreateBatchingMetrics);
        services.AddModelServerClient();
        services.AddSingleton<IEngine>(static provider =>
            ActivatorUtilities.CreateInstance<TritonEngine>(
                provider, provider.GetRequiredService<IHttpClientFactory>().CreateClient(ModelServerClient.Name)));
    }

    /// <inheritdoc/>
    public Task LoadAsync(CancellationToken cancellationToken) =>
        new ServerWait(_time, _logger).UntilReadyAsync("the server", _server.Address, TryLoadAsync, ServerWait.Patience, cancellationToken);

    /// <inheritdoc/>
    public async Task WarmUpAsync(CancellationToken cancellationToken)
    {
        var request = new InferenceRequest
        {
            RequestId = Guid.Empty,
            Model = "",
            Operation = Traits.Operations[0],
            Deadline = DateTimeOffset.MaxValue,
            Body = (Classifies ? """{"text":"A text to warm up with."}"""u8 : """{"messages":[{"role":"user","content":"Hello"}]}"""u8)
                .ToArray(),
        };
        try
        {
            await foreach (var part in RunAsync(request, cancellationToken))
            {
                // The answer does not matter, only that there is one.
            }
        }
        catch (InferenceException e)
        {
            throw new EngineLoadException($"The model at {_server.Address} does not answer as it should: {e.Message}", e);
        }
    }

    /// <inheritdoc/>
    public IAsyncEnumerable<ReplyPart> RunAsync(InferenceRequest request, CancellationToken cancellationToken) =>
        (_model ?? throw new InvalidOperationException("The model is not loaded.")).RunAsync(request, cancellationToken);

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _model is IAsyncDisposable model ? model.DisposeAsync() : ValueTask.CompletedTask;

    /// <summary>Reads what the server says of the model once it is ready there; why it is not, or null.</summary>
    private async Task<string?> TryLoadAsync(CancellationToken cancellationToken)
    {
        if (await _server.AskAsync(cancellationToken) is { } reason)
        {
            return reason;
        }

        var model = await _server.GetModelAsync(cancellationToken);
        _model = Classifies
            ? new TritonClassifier(_server, model, _options, _batching, _preparation, _time, _metrics)
            : new TritonGenerator(_server, model, _options, _preparation);
        return null;
    }
}
