namespace AgentPlatform.AppHost.Models;

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
}

/// <summary>What clients ask of a model; the gateway's setting <c>Models:N:Operations</c>.</summary>
internal enum ModelOperation
{
    /// <summary>A chat, answered token by token.</summary>
    Chat,

    /// <summary>A text, answered by its sentiment.</summary>
    Analyze,
}
