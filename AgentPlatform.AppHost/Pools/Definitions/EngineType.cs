namespace AgentPlatform.AppHost.Pools.Definitions;

/// <summary>Runtimes that a worker can compute with; the worker's setting <c>Engine:Type</c>.</summary>
internal static class EngineType
{
    /// <summary>A text classifier in ONNX Runtime inside the worker.</summary>
    public const string OnnxClassifier = "onnx-classifier";

    /// <summary>A decoder-only language model in ONNX Runtime inside the worker.</summary>
    public const string OnnxChat = "onnx-chat";

    /// <summary>An OpenAI-compatible server, such as vLLM, llama.cpp, Ollama or OpenAI; the worker's settings <c>OpenAI:*</c> name it.</summary>
    public const string OpenAI = "openai";

    /// <summary>A server of the Open Inference Protocol, such as Triton; the worker's settings <c>Triton:*</c> name it.</summary>
    public const string Triton = "triton";

    /// <summary>A model with tools, by Semantic Kernel; the worker's settings <c>Agent:*</c> say which.</summary>
    public const string Agent = "agent";

    /// <summary>Stands for a GPU in load and chaos tests.</summary>
    public const string Simulated = "simulated";

    /// <summary>What the chart must know of each. The worker's table, <c>EngineTypes</c>, says the same: a test compares them.</summary>
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
