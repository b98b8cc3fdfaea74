using AgentPlatform.Inference;

namespace AgentPlatform.Worker.Engines;

/// <summary>
/// What is known of an engine before any worker runs it. The chart's rules read the same in the AppHost's <c>EngineType</c>.
/// </summary>
/// <param name="Name">Value of <c>Engine:Type</c>.</param>
/// <param name="Operations">What its models can be asked; one model may do only some of it.</param>
/// <param name="AddTo">Registers it as <see cref="IEngine"/>, with its options.</param>
internal sealed record EngineDescriptor(string Name, IReadOnlyList<Operation> Operations, Action<IHostApplicationBuilder> AddTo)
{
    /// <summary>Whether it reads a model's files from <c>Model:Source</c>.</summary>
    public bool ReadsWeights { get; init; }

    /// <summary>Whether <c>Onnx:ExecutionProvider</c> says where it computes.</summary>
    public bool TakesExecutionProvider { get; init; }

    /// <summary>Whether the engine calls servers outside of the worker.</summary>
    public bool CallsOut { get; init; }

    /// <summary>Whether it asks other models of the platform over the broker, as a gateway does.</summary>
    public bool AsksModels { get; init; }
}
