namespace AgentPlatform.Tests.Architecture;

/// <summary>A longer line hides one: at most 140 columns of C#, 120 of prose.</summary>
public sealed class LineLengthTests
{
    private const int MostColumnsOfCode = 140;
    private const int MostColumnsOfProse = 120;

    // What is quoted as it is on the wire stays on one line.
    private const string RawLiteral = "\"\"\"";

    private static readonly string[] _foreignFolders = ["bin", "obj", ".git", "node_modules"];

    [Fact]
    public void No_line_of_code_is_too_long() => Assert.Empty(
        from file in Files("*.cs")
        from line in File.ReadLines(file).Index()
        where line.Item.Length > MostColumnsOfCode && !line.Item.Contains(RawLiteral, StringComparison.Ordinal)
        select $"{file}:{line.Index + 1} has {line.Item.Length} columns");

    [Fact]
    public void No_line_of_prose_is_too_long() => Assert.Empty(
        from file in Files("*.md")
        from line in Prose(File.ReadLines(file).Index())
        where line.Item.Length > MostColumnsOfProse
        select $"{file}:{line.Index + 1} has {line.Item.Length} columns");

    private static IEnumerable<string> Files(string pattern, string? folder = null) =>
        Directory.EnumerateFiles(folder ?? Repository.Root, pattern).Concat(
            from inside in Directory.EnumerateDirectories(folder ?? Repository.Root)
            where !_foreignFolders.Contains(Path.GetFileName(inside))
            from file in Files(pattern, inside)
            select file);

    // Without tables and code, which cannot be broken.
    private static IEnumerable<(int Index, string Item)> Prose(IEnumerable<(int Index, string Item)> lines)
    {
        var isCode = false;
        foreach (var line in lines)
        {
            var isFence = line.Item.TrimStart().StartsWith("```", StringComparison.Ordinal);
            isCode ^= isFence;
            if (!isCode && !isFence && !line.Item.StartsWith("    ", StringComparison.Ordinal) && !line.Item.TrimStart().StartsWith('|'))
            {
                yield return line;
            }
        }
    }
}
