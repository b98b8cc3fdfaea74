namespace AgentPlatform.AppHost.Pools.Definitions;

/// <summary>The engines of workers; the worker's setting <c>Engine:Type</c>.</summary>
internal static class EngineType
{
    /// <summary>A text classifier that runs in the worker, on ONNX Runtime.</summary>
    public const string OnnxClassifier = "onnx-classifier";

    /// <summary>A decoder-only language model that runs in the worker, on ONNX Runtime.</summary>
    public const string OnnxChat = "onnx-chat";

    /// <summary>An OpenAI-compatible server, such as vLLM, llama.cpp, Ollama or OpenAI; settings <c>OpenAI:*</c> of the worker.</summary>
    public const string OpenAI = "openai";

    /// <summary>A server of the Open Inference Protocol, such as Triton; settings <c>Triton:*</c> of the worker.</summary>
    public const string Triton = "triton";

    /// <summary>An agent: a model with tools, on Semantic Kernel; settings <c>Agent:*</c> of the worker.</summary>
    public const string Agent = "agent";

    /// <summary>Simulates a model on a GPU, for load and chaos tests.</summary>
    public const string Simulated = "simulated";

    /// <summary>All engines, by name. A test compares this table with the worker's, <c>EngineTypes</c>.</summary>
    public static IReadOnlyDictionary<string, EngineFacts> All { get; } = new SortedDictionary<string, EngineFacts>(StringComparer.Ordinal)
    {
        [Agent] = new(ModelOperation.Chat) { CallsOut = true, AsksModels = true },
        [OnnxChat] = new(ModelOperation.Chat) { ReadsWeights = true, TakesExecutionProvider = true },
        [OnnxClassifier] = new(ModelOperation.Analyze) { ReadsWeights = true, TakesExecutionProvider = true },
        [OpenAI] = new(ModelOperation.Chat) { CallsOut = true },
        [Simulated] = new(ModelOperation.Chat),
        [Triton] = new(ModelOperation.Chat, ModelOperation.Analyze) { CallsOut = true },
    };
}
