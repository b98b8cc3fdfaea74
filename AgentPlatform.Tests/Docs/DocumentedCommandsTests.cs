using System.Text.RegularExpressions;

namespace AgentPlatform.Tests.Docs;

/// <summary>
/// The shell lines of the documentation: the shell reads them, what they name is there, and what needs nothing else runs.
/// </summary>
public sealed partial class DocumentedCommandsTests : IDisposable
{
    private static readonly TimeSpan _limit = TimeSpan.FromMinutes(1);

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("agentplatform-docs-");

    public static TheoryData<string> Blocks => [.. Documentation.Files.SelectMany(file => Documentation.Blocks(file, "sh"))];

    public void Dispose() => _folder.Delete(recursive: true);

    [Theory, MemberData(nameof(Blocks))]
    public async Task ABlock_IsReadByTheShell(string block) => (await TiedProcess.RunAsync(_limit, "bash", ["-n", "-c", block])).Checked();

    [Theory, MemberData(nameof(Blocks))]
    public void ABlock_NamesScriptsProjectsAndFoldersThatAreThere(string block) => Assert.All(
        PathOfTheRepository().Matches(block).Select(match => match.Groups["path"].Value)
            .Where(path => !path.Contains("/bin/", StringComparison.Ordinal)),
        path => Assert.True(Path.Exists(Path.Combine(Repository.Root, path)), $"There is no {path}."));

    [Fact]
    public async Task TheDigestsOfAModel_AreMadeAsTheWorkerReadsThem()
    {
        var block = Assert.Single(Documentation.Blocks(Path.Combine("docs", "worker.md"), "sh"));
        var model = _folder.CreateSubdirectory("my-model");
        await File.WriteAllTextAsync(Path.Combine(model.FullName, "model.onnx"), "weights");
        await File.WriteAllTextAsync(Path.Combine(model.CreateSubdirectory("a").FullName, "b.json"), "{}");

        var output = (await TiedProcess.RunAsync(_limit, "bash", ["-e", "-c", block], start => start.WorkingDirectory = _folder.FullName))
            .Checked();

        Assert.Matches("^[0-9a-f]{64}  SHA256SUMS\n$", output);
        Assert.Equal(
            ["a/b.json", "model.onnx"],
            (await File.ReadAllLinesAsync(Path.Combine(model.FullName, "SHA256SUMS"))).Select(line => line.Split("  ")[1])
                .Order(StringComparer.Ordinal));
    }

    // "./run.sh", "deploy/chart", "--project samples/ChatConsole", "AgentPlatform.Worker"
    [GeneratedRegex(
        @"(?<![\w$""/.:@=-])(\./)?(?<path>(run|test)\.sh|"
            + @"(deploy|eng|samples|models|benchmarks|AgentPlatform\.\w+)(/[\w./-]*\w)?)(?![\w/-])")]
    private static partial Regex PathOfTheRepository();
}
