using System.Text.Json;

namespace AgentPlatform.Tests.Conformance;

/// <summary>The repository's small language model.</summary>
internal static class TinyChat
{
    /// <summary>Folder of its files.</summary>
    public static string Folder { get; } = Path.Combine(Repository.Root, "models", "tiny-chat");

    /// <summary>Questions that it was not trained on, one per topic.</summary>
    public static IReadOnlyList<string> HeldOut() =>
        [.. Directory.EnumerateFiles(Path.Combine(Folder, "data"), "heldout-*.jsonl").Order(StringComparer.Ordinal)
            .SelectMany(File.ReadLines).Where(line => line.Length > 0)
            .Select(line => JsonDocument.Parse(line).RootElement.GetProperty("questions")[0].GetString()!)];
}
