using System.Runtime.CompilerServices;

namespace AgentPlatform.Tests.Worker.Engines.Classifier;

/// <summary>The sentiment model that this repository ships, and copies of it to break.</summary>
internal sealed class ModelFolder : IDisposable
{
    private ModelFolder()
    {
        foreach (var name in (string[])["model.onnx", "config.json"])
        {
            File.Copy(System.IO.Path.Combine(Shipped, name), System.IO.Path.Combine(Path, name));
        }
    }

    public static string Shipped { get; } = System.IO.Path.Combine(Root(), "models", "sentiment");

    public string Path { get; } = Directory.CreateTempSubdirectory("agentplatform-model-").FullName;

    public string Model => System.IO.Path.Combine(Path, "model.onnx");

    public string Config => System.IO.Path.Combine(Path, "config.json");

    public static ModelFolder Copy() => new();

    public void Dispose() => Directory.Delete(Path, recursive: true);

    private static string Root([CallerFilePath] string file = "") =>
        System.IO.Path.GetFullPath(System.IO.Path.Combine(System.IO.Path.GetDirectoryName(file)!, "..", "..", "..", ".."));
}
