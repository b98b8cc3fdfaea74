using AgentPlatform.Inference;
using AgentPlatform.Worker.Engines;
using AgentPlatform.Worker.Engines.Agent;
using AgentPlatform.Worker.Engines.Classifier;
using AgentPlatform.Worker.Engines.OnnxChat;
using AgentPlatform.Worker.Engines.OpenAI;
using AgentPlatform.Worker.Engines.Simulated;
using AgentPlatform.Worker.Engines.Triton;
using Microsoft.Extensions.Options;

namespace AgentPlatform.Worker;

/// <summary>
/// The engines that <c>Engine:Type</c> can name. To add one, write a class that implements <see cref="IEngine"/>, with a method that
/// registers it and its options, and give it a row here and in the AppHost's <c>EngineType</c>.
/// </summary>
internal static class EngineTypes
{
    /// <summary>The engines in alphabetical order.</summary>
    public static IReadOnlyList<EngineDescriptor> All { get; } =
    [
        new("agent", [Operation.Chat], AgentEngine.AddTo) { CallsOut = true, AsksModels = true },
        new("onnx-chat", [Operation.Chat], OnnxChatEngine.AddTo) { ReadsWeights = true, TakesExecutionProvider = true },
        new("onnx-classifier", [Operation.Analyze], ClassifierEngine.AddTo) { ReadsWeights = true, TakesExecutionProvider = true },
        new("openai", [Operation.Chat], OpenAIEngine.AddTo) { CallsOut = true },
        new("simulated", [Operation.Chat], SimulatedEngine.AddTo),
        new("triton", [Operation.Chat, Operation.Analyze], TritonEngine.AddTo) { CallsOut = true },
    ];

    /// <summary>The engine of that name.</summary>
    /// <exception cref="OptionsValidationException">There is none.</exception>
    public static EngineDescriptor Find(string? name) => All.FirstOrDefault(engine => engine.Name == name)
        ?? throw new OptionsValidationException(EngineOptions.Section, typeof(EngineOptions),
            [$"Engine:Type is '{name}'; it must be one of '{string.Join("', '", All.Select(static engine => engine.Name))}'."]);
}
