using System.Text.RegularExpressions;
using AgentPlatform.Tests.Workflows;

namespace AgentPlatform.Tests.Kubernetes.Helm;

/// <summary>What scripts, workflows and documentation have helm and kubectl do are commands and options that these have.</summary>
[Trait("Category", "Helm")]
public sealed partial class CommandLineTests : IDisposable
{
    private static readonly HashSet<string> _verbs =
        [
            "lint", "template", "install", "upgrade", "rollback", "history", "uninstall", "get", "list", "package", "push", "login",
            "apply", "scale", "port-forward", "logs", "describe", "delete",
        ];

    private readonly HelmPrograms _programs = new();

    public static TheoryData<string> Commands => [.. Found()];

    public void Dispose() => _programs.Dispose();

    [Fact]
    public void ThereAreCommandsToCheck() => Assert.All(
        (string[])
        [
            "helm upgrade \"$RELEASE\"", "helm rollback \"$RELEASE\"", "helm install agentplatform", "helm template", "helm lint",
            "kubectl --namespace \"$2\" port-forward",
        ],
        start => Assert.Contains(Found(), command => command.StartsWith(start, StringComparison.Ordinal)));

    // With --help a program reads its options, so that it refuses what it does not know, and does nothing.
    [Theory, MemberData(nameof(Commands))]
    public async Task ACommand_HasOnlyOptionsThatItsProgramKnows(string command)
    {
        var words = Word().Matches(command)
            .Select(word => word.Value.Replace("\"", "", StringComparison.Ordinal).Replace("'", "", StringComparison.Ordinal)).ToArray();

        var help = (
            await (
                words[0] == "helm"
                    ? _programs.HelmAsync([.. words[1..], "--help"])
                    : _programs.KubectlAsync([.. words[1..], "--help"]))).Checked();

        // Help for all commands would be that of one which there is not.
        Assert.Contains(words.First(word => _verbs.Contains(word)), Usage().Match(help).Value, StringComparison.Ordinal);
    }

    private static IEnumerable<string> Found() =>
        Sources().SelectMany(text => Command().Matches(text.Replace("\\\n", " ", StringComparison.Ordinal)))
            .Select(match => match.Value.Trim()).Distinct();

    private static IEnumerable<string> Sources() =>
    [
        .. Directory.EnumerateFiles(Workflow.Folder).SelectMany(file => Workflow.Read(Path.GetFileName(file)).Scripts()),
        File.ReadAllText(Path.Combine(Repository.Root, "deploy", "smoke.sh")),
        .. ((string[])["README.md", "docs/deploy.md", "docs/kubernetes.md", "docs/operations.md"])
            .Select(file => File.ReadAllText(Path.Combine(Repository.Root, file))).SelectMany(Blocks),
    ];

    private static IEnumerable<string> Blocks(string markdown) => Shell().Matches(markdown).Select(block => block.Groups["text"].Value);

    // helm history "$RELEASE" --namespace "$NAMESPACE" --output json 2>/dev/null | jq ...
    [GeneratedRegex("""(?<=^\s*|\$\()(helm|kubectl) (?:"[^"]*"|'[^']*'|[^"'|;&)<>#\n])+?(?=\s*(\d?[|;&)<>#]|$))""", RegexOptions.Multiline)]
    private static partial Regex Command();

    [GeneratedRegex("""(?:"[^"]*"|'[^']*'|\S)+""")]
    private static partial Regex Word();

    [GeneratedRegex("(?s)Usage:.*")]
    private static partial Regex Usage();

    [GeneratedRegex("(?s)```sh\n(?<text>.*?)```")]
    private static partial Regex Shell();
}
