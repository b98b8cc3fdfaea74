using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;

namespace AgentPlatform.Tests.Docs;

/// <summary>
/// The C# of the documentation compiles where it says that it goes: lines of pools in AppHost.cs, programs by themselves.
/// </summary>
public sealed class DocumentedCodeTests
{
    private const string Pools = "pools.";
    private const string PoolsBegin = "var pools = builder.AddModelPools(gateway, messaging, chart);\n";

    public static TheoryData<string> Blocks => [.. Documentation.Files.SelectMany(file => Documentation.Blocks(file, "csharp"))];

    [Fact]
    public void ThereAreBlocksOfBothKinds()
    {
        Assert.Contains(Documentation.Blocks("README.md", "csharp"), block => block.StartsWith(Pools, StringComparison.Ordinal));
        Assert.Contains(
            Documentation.Blocks(Path.Combine("docs", "clients.md"), "csharp"),
            block => !block.StartsWith(Pools, StringComparison.Ordinal));
    }

    [Theory, MemberData(nameof(Blocks))]
    public async Task ABlock_Compiles(string block)
    {
        var isOfTheHost = block.StartsWith(Pools, StringComparison.Ordinal);
        var project = isOfTheHost ? "AgentPlatform.AppHost" : "AgentPlatform.Client";
        var source = block;
        if (isOfTheHost)
        {
            var host = await File.ReadAllTextAsync(Path.Combine(Repository.Root, project, "AppHost.cs"));
            Assert.Contains(PoolsBegin, host, StringComparison.Ordinal);
            source = host.Replace(PoolsBegin, $"{PoolsBegin}{block}", StringComparison.Ordinal);
        }

        var mistakes = Compile(source, await File.ReadAllTextAsync(GlobalUsingsOf(project)));

        Assert.True(mistakes.Count == 0, $"{string.Join('\n', mistakes)}\n\n{source}");
    }

    [Fact]
    public async Task AMistake_IsFound() =>
        Assert.NotEmpty(Compile("Missing.Call();", await File.ReadAllTextAsync(GlobalUsingsOf("AgentPlatform.Client"))));

    // Under the name of these tests, to which the application host shows its internals.
    private static List<string> Compile(string source, string globalUsings)
    {
        var references = ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator)
            .Where(path => Path.GetFileNameWithoutExtension(path) != "AgentPlatform.Tests")
                .Select(path => MetadataReference.CreateFromFile(path));
        var parse = CSharpParseOptions.Default.WithLanguageVersion(LanguageVersion.Latest);
        var compilation = CSharpCompilation.Create(
            "AgentPlatform.Tests", [CSharpSyntaxTree.ParseText(source, parse), CSharpSyntaxTree.ParseText(globalUsings, parse)], references,
            new CSharpCompilationOptions(OutputKind.ConsoleApplication, nullableContextOptions: NullableContextOptions.Enable));
        return
        [
            .. compilation.GetDiagnostics().Where(diagnostic => diagnostic.Severity == DiagnosticSeverity.Error)
                .Select(diagnostic => diagnostic.ToString()),
        ];
    }

    // What the project's own settings bring, as its compiler got it: bin/Debug/net10.0 of the tests is obj/Debug/net10.0 there.
    private static string GlobalUsingsOf(string project)
    {
        var output = new DirectoryInfo(AppContext.BaseDirectory);
        return Path.Combine(Repository.Root, project, "obj", output.Parent!.Name, output.Name, $"{project}.GlobalUsings.g.cs");
    }
}
