using AgentPlatform.Worker.Engines.Onnx;
using Microsoft.ML.OnnxRuntime;

namespace AgentPlatform.Tests.OnnxChat;

/// <summary>Opens graphs as the worker does.</summary>
internal static class Graphs
{
    public static InferenceSession Open(string path) => Open(path, threads: null);

    public static InferenceSession Open(string path, int? threads) =>
        OnnxSession.Open(path, new OnnxOptions { IntraOpThreads = threads }, threads: Environment.ProcessorCount);
}
