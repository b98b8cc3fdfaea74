using System.Text.RegularExpressions;

namespace AgentPlatform.Tests.Docs;

/// <summary>README.md and docs/, as newcomers copy from them.</summary>
internal static partial class Documentation
{
    /// <summary>Paths from the root of the repository.</summary>
    public static IReadOnlyList<string> Files { get; } =
    [
        "README.md",
        .. Directory.EnumerateFiles(Path.Combine(Repository.Root, "docs"), "*.md")
            .Select(file => Path.GetRelativePath(Repository.Root, file)).Order(StringComparer.Ordinal),
    ];

    /// <summary>The blocks of one language in a file.</summary>
    public static IEnumerable<string> Blocks(string file, string language) =>
        Fence().Matches(File.ReadAllText(Path.Combine(Repository.Root, file))).Where(block => block.Groups["language"].Value == language)
            .Select(block => block.Groups["text"].Value);

    [GeneratedRegex("(?s)```(?<language>\\w*)\n(?<text>.*?)```")]
    private static partial Regex Fence();
}
